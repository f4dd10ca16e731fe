"""Arrays among the arguments of a statement, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from types import ModuleType
from typing import Any

import asyncpg
import pytest
from asyncpg.protocol import protocol

from deploy.local.servers import Postgres
from shared.array_arguments import ARRAYS, recognise_arrays_by_type
from shared.database import open_pool

TEXTS = ["a", "", "ü", None]


@pytest.fixture
async def pool(postgres: Postgres) -> AsyncIterator[asyncpg.Pool]:
    async with open_pool(postgres.url("postgres"), 1) as pool:
        yield pool


def test_this_version_of_asyncpg_has_the_name_that_is_replaced() -> None:
    assert protocol.IterableABC is ARRAYS


def test_a_version_without_the_name_stays_as_it_is() -> None:
    other = ModuleType("other")
    recognise_arrays_by_type(other)
    assert not hasattr(other, "IterableABC")


@pytest.mark.parametrize("array", [TEXTS, tuple(TEXTS), set(TEXTS), frozenset(TEXTS), []])
async def test_lists_tuples_and_sets_are_arrays(pool: asyncpg.Pool, array: Any) -> None:
    assert await pool.fetchval("SELECT $1::text[]", array) == list(array)


async def test_arrays_within_an_array_are_its_dimensions(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("SELECT $1::int[]", [[1, 2], [3, 4]]) == [[1, 2], [3, 4]]


@pytest.mark.parametrize("other", ["text", b"bytes", {"a": 1}, {"a": 1}.keys(), 5])
async def test_nothing_else_is_an_array(pool: asyncpg.Pool, other: Any) -> None:
    with pytest.raises(asyncpg.DataError):
        await pool.fetchval("SELECT $1::text[]", other)
