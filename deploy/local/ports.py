"""TCP ports on the loopback address: which are free, and which are taken."""

import random
import socket

HOST = "127.0.0.1"
SPAN = 7
"""How many consecutive ports a stack uses."""

BELOW_EPHEMERAL = range(20_000, 32_000)
"""Where to look for free ports: below the range from which the kernel takes those of outgoing connections."""


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port_base(span: int = SPAN) -> int:
    """The first of `span` consecutive ports that are all free at this moment."""
    for _ in range(1000):
        base = random.choice(BELOW_EPHEMERAL)
        if all(is_free(port) for port in range(base, base + span)):
            return base
    raise OSError(f"no {span} consecutive ports are free between {BELOW_EPHEMERAL.start} and {BELOW_EPHEMERAL.stop}")


def free_port() -> int:
    """One port that is free at this moment."""
    return free_port_base(1)
