"""A network between namespaces, in user space: links with delay, jitter and loss, which can be cut.

Each machine is a process in a network namespace of its own, with one TUN device, whose file descriptor it sends to the hub
over a Unix socket. The hub, a process of its own, passes packets between the devices. It does what `tc netem` does, without the
kernel module, which not every kernel has. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN.

    python -m bench.horizontal.network SOCKET
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

PREFIX = "10.77.0"
DEVICE = "link0"
MTU = 32_000
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKETS_AT_ONCE = 64


class NotPermitted(Exception):
    """This process may not make network namespaces."""


def address(machine: int) -> str:
    """The IPv4 address of a machine."""
    return f"{PREFIX}.{machine}"


def join(machine: int, hub: Path) -> None:
    """Move this process to a new network namespace, with a link to the hub at this Unix socket.

    Call it before any thread is started: threads and processes that are started later are in the namespace too. Raises
    NotPermitted.
    """
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise NotPermitted(f"can't make a network namespace: {os.strerror(ctypes.get_errno())}")
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        "ip link set lo up",
        f"ip address add {address(machine)}/24 dev {DEVICE}",
        f"ip link set {DEVICE} mtu {MTU} up",
    ):
        subprocess.run(command.split(), check=True)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(hub))
        socket.send_fds(connection, [bytes([machine])], [device])
        connection.recv(1)
    os.close(device)


@dataclass(frozen=True, slots=True)
class Link:
    """The condition of a machine's link. A packet passes the sender's link and the receiver's."""

    delay: float = 0.0005
    """Seconds in one direction."""
    jitter: float = 0.0001
    """Seconds; the delay is chosen evenly between delay - jitter and delay + jitter. Packets stay in order."""
    loss: float = 0.0
    """The share of packets that are lost."""
    cut: bool = False

    def seconds(self) -> float:
        """The delay of a packet."""
        return self.delay + random.uniform(-self.jitter, self.jitter)


@dataclass
class Hub:
    """Passes packets between the machines' devices, each when it is due."""

    devices: dict[int, int] = field(default_factory=dict)
    links: dict[int, Link] = field(default_factory=dict)
    passed: int = 0
    lost: int = 0
    _waiting: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    _latest: dict[tuple[int, int], float] = field(default_factory=dict)

    def add(self, connection: socket.socket) -> None:
        """Take the device of a machine that joins."""
        message, (device, *_), _, _ = socket.recv_fds(connection, 1, 1)
        self.devices[message[0]] = device
        self.links.setdefault(message[0], Link())
        connection.send(b"1")
        connection.close()

    def receive(self, sender: int) -> None:
        """Read the packets that a machine has sent."""
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = os.read(self.devices[sender], 65_536)
            except OSError:  # no packet is left, or the machine has ended
                return
            if packet[0] >> 4 == 4 and packet[19] in self.devices:
                self._send(sender, packet[19], packet)

    def deliver(self) -> float | None:
        """Pass on the packets that are due. Returns the seconds until the next one; None if there is none."""
        while self._waiting:
            due, _, receiver, packet = self._waiting[0]
            if (pause := due - monotonic()) > 0:
                return pause
            heapq.heappop(self._waiting)
            try:
                os.write(self.devices[receiver], packet)
            except OSError:  # the queue of the device is full, or the machine has ended
                self.lost += 1
        return None

    def _send(self, sender: int, receiver: int, packet: bytes) -> None:
        links = self.links[sender], self.links[receiver]
        if any(link.cut or random.random() < link.loss for link in links):
            self.lost += 1
            return
        due = max(monotonic() + sum(link.seconds() for link in links), self._latest.get((sender, receiver), 0.0))
        self._latest[sender, receiver] = due
        self.passed += 1
        heapq.heappush(self._waiting, (due, self.passed, receiver, packet))


def main(path: str) -> None:
    """Run the hub until standard input ends. Each line sets a link: {"machine": 2, "delay": 0.02, "cut": false}."""
    hub = Hub()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("listening", flush=True)
        pause: float | None = None
        while True:
            senders = {device: machine for machine, device in hub.devices.items()}
            commands, joining = sys.stdin.fileno(), listener.fileno()
            readable, _, _ = select.select([commands, joining, *senders], [], [], pause)
            for one in readable:
                if one == joining:
                    hub.add(listener.accept()[0])
                elif one == commands:
                    if not (line := sys.stdin.buffer.readline()):
                        return
                    command = json.loads(line)
                    machine = command.pop("machine")
                    hub.links[machine] = Link(**command)
                    print(json.dumps({"passed": hub.passed, "lost": hub.lost}), flush=True)
                else:
                    hub.receive(senders[one])
            pause = hub.deliver()


if __name__ == "__main__":
    main(sys.argv[1])
