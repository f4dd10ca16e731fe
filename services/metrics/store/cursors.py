"""Where a page of a list ended, as an opaque token for a URL."""

import base64
import binascii
from typing import Self

import msgspec


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """A place in a list. Each list defines what its cursors hold."""

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Self:
        """The place that `text` names; raises ValueError."""
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=cls)
        except (msgspec.MsgspecError, binascii.Error) as error:
            raise ValueError("not a cursor") from error
