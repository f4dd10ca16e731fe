"""`python -m services.ingest.rotate`: encrypt every value that a former key encrypts under INGEST_SECRET_KEY.

Works in batches while all services run. It may be stopped at any time: run again, it continues with what is left. With `--check`
it only counts. docs/deployment.md describes the whole rotation.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from services.ingest.settings import Settings
from services.ingest.store.cipher import Cipher
from services.ingest.store.encrypted import BODY_KEYS, COLUMNS, EncryptedColumn, renew_column
from shared.database import open_pool
from shared.startup import read_settings

BATCH = 500
NOT_DONE = 1
"""Exit status if a value is left that INGEST_SECRET_KEY does not decrypt."""


@dataclass(slots=True)
class Count:
    """The values of one column: all, those that a former key encrypted, those of them that were renewed, and the keys of the
    rows whose value no key decrypts."""

    values: int
    former: int
    renewed: int
    unreadable: list[str]

    @property
    def is_done(self) -> bool:
        """Whether the newest key decrypts every value."""
        return not self.former and not self.unreadable


async def rotate(settings: Settings, *, batch: int = BATCH) -> dict[EncryptedColumn, int]:
    """Renew the values of every column. Returns how many were renewed."""
    return {column: count.renewed for column, count in (await _passes(settings, batch, dry=False)).items()}


async def check(settings: Settings, *, batch: int = BATCH) -> dict[EncryptedColumn, Count]:
    """Count the values of every column, and change nothing."""
    return await _passes(settings, batch, dry=True)


async def _passes(settings: Settings, batch: int, *, dry: bool) -> dict[EncryptedColumn, Count]:
    cipher = Cipher(settings.secret_key, settings.decrypting_keys)
    async with open_pool(settings.database, 1) as pool, open_pool(settings.keys_database, 1) as keys:
        return {column: await _pass(keys if column == BODY_KEYS else pool, cipher, column, batch, dry=dry) for column in COLUMNS}


async def _pass(pool: asyncpg.Pool, cipher: Cipher, column: EncryptedColumn, size: int, *, dry: bool) -> Count:
    count = Count(0, 0, 0, [])
    async for batch in renew_column(pool, cipher, column, size, dry=dry):
        count.values += batch.rows
        count.former += batch.former
        count.renewed += batch.renewed
        count.unreadable += batch.unreadable
    return count


def report(renewed: Mapping[EncryptedColumn, int], counts: Mapping[EncryptedColumn, Count]) -> str:
    """The counts as text, a line for each column."""
    lines = []
    for column, count in counts.items():
        line = f"{column.table}.{column.column}: {count.values:,} values, {renewed.get(column, 0):,} renewed"
        line += f", {count.former:,} under a former key"
        if count.unreadable:
            line += f", {len(count.unreadable):,} that no key decrypts (first row: {count.unreadable[0]})"
        lines.append(f"{line}\n")
    return "".join(lines)


async def run(settings: Settings, *, dry: bool) -> tuple[str, bool]:
    """The report, and whether the newest key decrypts every value. The values are counted after they were renewed, so a service
    that still encrypts under another key is noticed."""
    renewed = {} if dry else await rotate(settings)
    counts = await check(settings)
    return report(renewed, counts), all(count.is_done for count in counts.values())


def main() -> None:
    """The command."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--check", action="store_true", help="only count the values; change nothing")
    dry = arguments.parse_args().check
    text, is_done = asyncio.run(run(read_settings("ingest", Settings), dry=dry))
    sys.stdout.write(text)
    if is_done:
        sys.stdout.write("done: INGEST_SECRET_KEY decrypts every value, so INGEST_FURTHER_SECRET_KEYS may be removed\n")
        return
    sys.stdout.write("not done: keep INGEST_FURTHER_SECRET_KEYS; see docs/deployment.md, Changing INGEST_SECRET_KEY\n")
    raise SystemExit(NOT_DONE)


if __name__ == "__main__":
    main()
