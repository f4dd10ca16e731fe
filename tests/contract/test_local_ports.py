"""Free ports are found by asking the operating system."""

import socket

from deploy.local.ports import HOST, SPAN, free_port_base, is_free


def test_a_port_is_free_until_a_process_listens() -> None:
    base = free_port_base()
    assert all(is_free(port) for port in range(base, base + SPAN))
    with socket.socket() as listener:
        listener.bind((HOST, base))
        listener.listen()
        assert not is_free(base)
