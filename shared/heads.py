"""How much of a request may come before its body: uvicorn's parser takes a head of any length, and keeps it in memory."""

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 128 * 1024
"""Bytes of all header names and values, or of what the parser has not yet made sense of. Ours are far shorter."""

TOO_LONG = "The head of the request is too long."


class BoundedHead(HttpToolsProtocol):
    """Ends a connection with 400 where the head of a request, or what follows a chunked body, grows beyond MOST_HEAD."""

    _told = 0
    """Bytes of this request's headers."""
    _unparsed = 0
    """Bytes received since the parser last told of anything: one endless header is told of only at its end."""

    def data_received(self, data: bytes) -> None:
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(TOO_LONG)

    def on_message_begin(self) -> None:
        self._told = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._unparsed = 0
        self._told += len(name) + len(value)
        if self._told > MOST_HEAD:
            raise HttpParserError(TOO_LONG)
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        super().on_message_complete()
