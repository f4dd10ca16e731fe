"""Which database errors are outages, how transactions are retried, how a database URL is held."""

import asyncpg
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.database import TRANSACTION_ATTEMPTS, dsn, outage_is_503, retry_transaction
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
    with pytest.raises(Unavailable) as raised:
        async with outage_is_503():
            raise fault
    assert raised.value.headers == {"Retry-After": "5"}


@pytest.mark.parametrize(
    "fault", [asyncpg.UniqueViolationError("twice"), wrapped(asyncpg.UniqueViolationError("twice")), KeyError("x")], ids=repr
)
async def test_any_other_fault_is_left_as_it_is(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        async with outage_is_503():
            raise fault


class Transaction:
    """A transaction that fails with `error` so many times, then returns its argument."""

    def __init__(self, error: Exception, failures: int) -> None:
        self.error = error
        self.failures = failures
        self.runs = 0

    async def run(self, value: str) -> str:
        self.runs += 1
        if self.runs <= self.failures:
            raise self.error
        return value


async def retried(transaction: Transaction) -> str:
    return await retry_transaction(transaction.run)("done")


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError("x"), asyncpg.SerializationError("x")], ids=repr)
async def test_a_transaction_runs_again_after_a_deadlock(error: Exception) -> None:
    transaction = Transaction(error, TRANSACTION_ATTEMPTS - 1)
    assert await retried(transaction) == "done"
    assert transaction.runs == TRANSACTION_ATTEMPTS


async def test_after_the_last_attempt_the_error_is_raised() -> None:
    transaction = Transaction(asyncpg.DeadlockDetectedError("x"), TRANSACTION_ATTEMPTS)
    with pytest.raises(asyncpg.DeadlockDetectedError):
        await retried(transaction)
    assert transaction.runs == TRANSACTION_ATTEMPTS


async def test_any_other_error_is_raised_at_once() -> None:
    transaction = Transaction(asyncpg.UniqueViolationError("x"), 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await retried(transaction)
    assert transaction.runs == 1


async def test_the_log_of_a_retry_quotes_neither_arguments_nor_the_error() -> None:
    error = asyncpg.DeadlockDetectedError("Key (text)=(my secret) is locked")
    with structlog.testing.capture_logs() as entries:
        await retried(Transaction(error, 1))
    assert [(entry["event"], entry["error"]) for entry in entries] == [("retry.scheduled", "DeadlockDetectedError")]
    assert "secret" not in str(entries)
    assert "done" not in str(entries)


@pytest.mark.parametrize("url", ["postgresql://u:p%40@h:5/d", SecretStr("postgresql+asyncpg://u:p%40@h:5/d")])
def test_a_database_url_may_be_a_secret_and_name_a_driver(url: SecretStr | str) -> None:
    assert dsn(url) == "postgresql://u:p%40@h:5/d"
