"""From `kpi.changes` to the hub: every announcement from now on. One that is missed is made up for by the next recheck."""

from collections.abc import AsyncIterator

import msgspec
import structlog

from services.gateway.live.hub import Hub
from shared.events import decode_change
from shared.kafka import Record

log = structlog.get_logger()


async def feed(changes: AsyncIterator[Record], hub: Hub) -> None:
    """Announce each record's change. A record that can't be read is told in the log: there is nothing to keep it for."""
    async for record in changes:
        try:
            change = decode_change(record.value)
        except msgspec.MsgspecError as error:
            log.warning("live.unreadable", partition=record.partition, offset=record.offset, error=type(error).__name__)
            continue
        hub.announce(change.tenant, change.kpis, record.offset)
