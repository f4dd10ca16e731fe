"""An item that the database refuses does not keep the others from being stored; an outage is no refusal."""

from collections.abc import Sequence

import asyncpg
import pytest

from services.ingest.inbox.refusals import RefusedTransaction, store_all_or_each


class Table:
    """Stores numbers. It refuses a transaction with a negative one, and has an outage at a zero."""

    def __init__(self) -> None:
        self.transactions: list[list[int]] = []

    async def store(self, numbers: Sequence[int]) -> str:
        if 0 in numbers:
            raise ConnectionResetError
        if any(number < 0 for number in numbers):
            raise asyncpg.CheckViolationError("a negative number")
        self.transactions.append([*numbers])
        return f"stored {len(numbers)}"

    async def refuse(self, number: int, refusal: RefusedTransaction) -> str:
        return f"{number}: {refusal.type_name}"


@pytest.mark.parametrize(
    ("numbers", "transactions", "results"),
    [
        ([1, 2, 3], [[1, 2, 3]], ["stored 3"]),
        ([1, -2, 3], [[1], [3]], ["stored 1", "-2: CheckViolationError", "stored 1"]),
        ([-1], [], ["-1: CheckViolationError"]),
    ],
)
async def test_the_others_are_stored_one_by_one(numbers: list[int], transactions: list[list[int]], results: list[str]) -> None:
    table = Table()
    assert await store_all_or_each(numbers, table.store, table.refuse) == results
    assert table.transactions == transactions


async def test_an_outage_ends_the_attempt() -> None:
    table = Table()
    with pytest.raises(ConnectionResetError):
        await store_all_or_each([1, -2, 0, 4], table.store, table.refuse)
    assert table.transactions == []
    with pytest.raises(ConnectionResetError):
        await store_all_or_each([0, -2], table.store, table.refuse)
