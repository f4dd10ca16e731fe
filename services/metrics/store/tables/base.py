"""The metadata of all tables, and the columns that several of them have."""

from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
instant = DateTime(timezone=True)


def versions(name: str, comment: str) -> Table:
    """A table of versions, numbered from 1 for each tenant in the order in which they were added. Rows are never changed."""
    return Table(
        name,
        metadata,
        Column("tenant", Integer, nullable=False),
        Column("number", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False, comment=comment),
        Column("made_at", instant, nullable=False),
        PrimaryKeyConstraint("tenant", "number", name=f"{name}_pkey"),
    )


def interned(name: str, value: str, *more: Column[Any]) -> Table:
    """A table that gives a tenant's values small numbers. A number is never given twice; `purges` deletes
    rows, and of measures the end of a build."""
    return Table(
        name,
        metadata,
        Column("id", Integer, Identity(always=True), primary_key=True),
        Column("tenant", Integer, nullable=False),
        Column(value, Text, nullable=False),
        *more,
        UniqueConstraint("tenant", value, name=f"{name}_key"),
    )


def unused_since() -> Column[Any]:
    """The mark of a value that a purge found unused."""
    return Column("unused_since", instant, comment="found unused by a purge")
