"""The hub passes packets as the conditions of both links say. Pairs of sockets stand for the machines' TUN devices."""

import socket
import time
from collections.abc import Iterator

import pytest

from bench.horizontal.network import Hub, Link, address

Ends = dict[int, socket.socket]
SENDER, RECEIVER = 2, 3


@pytest.fixture
def pairs() -> Iterator[dict[int, tuple[socket.socket, socket.socket]]]:
    """Machine → its end and the hub's."""
    pairs = {machine: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for machine in (SENDER, RECEIVER)}
    for pair in pairs.values():
        for end in pair:
            end.setblocking(False)
    yield pairs
    for pair in pairs.values():
        for end in pair:
            end.close()


@pytest.fixture
def ends(pairs: dict[int, tuple[socket.socket, socket.socket]]) -> Ends:
    return {machine: pair[0] for machine, pair in pairs.items()}


@pytest.fixture
def hub(pairs: dict[int, tuple[socket.socket, socket.socket]]) -> Hub:
    links = {machine: Link(delay=0.0, jitter=0.0) for machine in pairs}
    return Hub(devices={machine: pair[1].fileno() for machine, pair in pairs.items()}, links=links)


def packet(number: int, receiver: int = RECEIVER) -> bytes:
    """The head of an IPv4 packet to a machine, and a number."""
    return bytes([0x45, *bytes(15), *socket.inet_aton(address(receiver)), number])


def arrived(end: socket.socket) -> list[int]:
    """The numbers of the packets that a machine has received."""
    numbers = []
    while True:
        try:
            numbers.append(end.recv(100)[20])
        except BlockingIOError:
            return numbers


def test_a_packet_arrives_after_the_delays_of_both_links(hub: Hub, ends: Ends) -> None:
    hub.links |= {SENDER: Link(delay=0.02, jitter=0.0), RECEIVER: Link(delay=0.03, jitter=0.0)}
    began = time.monotonic()
    ends[SENDER].send(packet(1))
    hub.receive(SENDER)
    while (pause := hub.deliver()) is not None:
        assert arrived(ends[RECEIVER]) == []
        time.sleep(pause)
    assert time.monotonic() - began >= 0.05
    assert arrived(ends[RECEIVER]) == [1]


def test_packets_stay_in_order_whatever_the_jitter(hub: Hub, ends: Ends) -> None:
    hub.links[SENDER] = Link(delay=0.005, jitter=0.005)
    for number in range(50):
        ends[SENDER].send(packet(number))
        hub.receive(SENDER)
    while (pause := hub.deliver()) is not None:
        time.sleep(pause)
    assert arrived(ends[RECEIVER]) == list(range(50))


@pytest.mark.parametrize("condition", [Link(cut=True), Link(loss=1.0)])
@pytest.mark.parametrize("machine", [SENDER, RECEIVER])
def test_a_link_that_is_cut_or_loses_everything_passes_nothing(hub: Hub, ends: Ends, machine: int, condition: Link) -> None:
    hub.links[machine] = condition
    ends[SENDER].send(packet(1))
    hub.receive(SENDER)
    assert hub.deliver() is None
    assert (hub.passed, hub.lost) == (0, 1)
    assert arrived(ends[RECEIVER]) == []


def test_a_packet_to_nobody_is_dropped(hub: Hub, ends: Ends) -> None:
    ends[SENDER].send(packet(1, receiver=9))
    hub.receive(SENDER)
    assert hub.deliver() is None
