"""A page of the ticket export, which metrics returns as JSON with its columns, as rows of a table."""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from services.gateway.domain.tables import utc

ColumnType = Literal["string", "time", "integer", "number", "boolean"]


class TicketColumn(msgspec.Struct, frozen=True):
    """A column: the name of a field of each ticket, and its type."""

    name: str
    type: ColumnType


class TicketPage(msgspec.Struct):
    """A page of tickets, which stay encoded. `next` is the cursor of the next page, None on the last one."""

    columns: list[TicketColumn]
    tickets: list[msgspec.Raw]
    next: str | None = None

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def items(self) -> Iterator[dict[str, Any]]:
        """The tickets by column, with times in the format of `utc`; each is decoded when it is requested."""
        times = [column.name for column in self.columns if column.type == "time"]
        for raw in self.tickets:
            ticket = msgspec.json.decode(raw, type=dict[str, Any])
            for name in times:
                if (value := ticket.get(name)) is not None:
                    ticket[name] = utc(value)
            yield {name: ticket.get(name) for name in self.header}

    def rows(self) -> Iterator[list[Any]]:
        """The values of each ticket in the order of the columns."""
        return (list(item.values()) for item in self.items())


decode_page = msgspec.json.Decoder(TicketPage).decode
