"""Unit tests run without servers: opening a network socket is an error, and so is connecting a Unix socket."""

import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest
import pytest_socket


@pytest.fixture(autouse=True)
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Raise SocketBlockedError where a test opens a network socket, or connects a Unix socket, such as PostgreSQL's.

    Unix sockets can be created, since an event loop wakes itself by a pair of them. A pair needs no call of `connect`.
    """
    pytest_socket.disable_socket(allow_unix_socket=True)
    monkeypatch.setattr(socket.socket, "connect", refuse_to_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse_to_connect)
    yield
    pytest_socket.enable_socket()


def refuse_to_connect(_socket: socket.socket, _address: object) -> NoReturn:
    raise pytest_socket.SocketBlockedError("A unit test tried to connect a socket.")
