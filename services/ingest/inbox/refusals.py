"""An item that the database refuses to store does not keep the items beside it from being stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import structlog

from shared.database import OUTAGE

log = structlog.get_logger()

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RefusedTransaction:
    """The error by which the database refused a transaction."""

    error: asyncpg.PostgresError

    @property
    def type_name(self) -> str:
        """The type of the error. Its message may quote values, so it is never logged."""
        return type(self.error).__name__


async def result_or_refusal(transaction: Awaitable[Result]) -> Result | RefusedTransaction:
    """The result of a transaction, or why the database refused it. An outage is raised, as is any other error."""
    try:
        return await transaction
    except OUTAGE:
        raise
    except asyncpg.PostgresError as error:
        return RefusedTransaction(error)


async def store_all_or_each(
    items: Sequence[Item],
    store: Callable[[Sequence[Item]], Awaitable[Result]],
    refuse: Callable[[Item, RefusedTransaction], Awaitable[Result]],
) -> list[Result]:
    """Store all items in one transaction; if the database refuses it, each item in a transaction of its own.

    `store` runs a transaction, `refuse` handles an item that the database refuses alone. Returns the result of each call of
    them, except those of refused transactions of several items.
    """
    result = await result_or_refusal(store(items))
    if not isinstance(result, RefusedTransaction):
        return [result]
    if len(items) == 1:
        return [await refuse(items[0], result)]
    log.warning("inbox.batch_refused", items=len(items), error=result.type_name)
    return [result for item in items for result in await store_all_or_each([item], store, refuse)]
