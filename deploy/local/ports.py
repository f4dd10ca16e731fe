"""Find free TCP ports on the loopback address."""

import random
import socket

HOST = "127.0.0.1"
SPAN = 7
"""Consecutive ports that a stack uses."""

BELOW_EPHEMERAL = range(20_000, 32_000)
"""Where free ports are looked for: below the range of the kernel's ports for outgoing connections."""


def is_free(port: int) -> bool:
    """Whether a server can listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port_base(span: int = SPAN) -> int:
    """The first of `span` consecutive free ports."""
    for _ in range(1000):
        base = random.choice(BELOW_EPHEMERAL)
        if all(is_free(port) for port in range(base, base + span)):
            return base
    raise OSError(f"no {span} consecutive ports are free between {BELOW_EPHEMERAL.start} and {BELOW_EPHEMERAL.stop}")


def free_port() -> int:
    """A free port."""
    return free_port_base(1)
