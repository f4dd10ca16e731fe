"""A unit test reaches no server."""

import socket
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError


def test_a_unit_test_opens_no_network_socket() -> None:
    with pytest.warns(UserWarning, match="A test tried"), pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


def test_a_unit_test_connects_no_unix_socket(tmp_path: Path) -> None:
    address = str(tmp_path / "server")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(address)
        server.listen()
        for connect in (client.connect, client.connect_ex):
            with pytest.warns(UserWarning, match="A unit test tried"), pytest.raises(SocketBlockedError):
                connect(address)
