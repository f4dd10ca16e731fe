"""What of a database's faults is told to callers as an outage, to be tried again."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database import outage_is_503
from shared.problems import Unavailable


class Wrapped(Exception):
    """As SQLAlchemy's dialect wraps asyncpg's errors."""


def wrapped(cause: Exception) -> DBAPIError:
    outer = Wrapped()
    outer.__cause__ = cause
    return DBAPIError("SELECT 1", None, outer)


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolTimeout(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.DiskFullError("full"),
        asyncpg.InternalClientError("got a result for an unknown state"),
        wrapped(asyncpg.AdminShutdownError("bye")),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_an_outage_is_503_with_retry_after(fault: Exception) -> None:
    with pytest.raises(Unavailable) as told:
        async with outage_is_503():
            raise fault
    assert told.value.headers == {"Retry-After": "5"}


@pytest.mark.parametrize(
    "fault", [asyncpg.UniqueViolationError("twice"), wrapped(asyncpg.UniqueViolationError("twice")), KeyError("x")], ids=repr
)
async def test_any_other_fault_is_left_as_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        async with outage_is_503():
            raise fault
