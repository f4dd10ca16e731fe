"""Verifications that run in the background."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Identity, Index, Integer, SmallInteger, Table, Text, text

from services.metrics.store.tables.base import instant, metadata

ZERO = text("0")

verifications = Table(
    "verifications",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("share", Double, nullable=False, comment="of subjects and spans that are compared: 1 is all"),
    Column("started_at", instant, nullable=False),
    Column("finished_at", instant),
    Column("head", BigInteger, nullable=False, server_default=ZERO, comment="the last sequence compared"),
    Column("part", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=text("''"), comment="the last thing of the part that is done"),
    Column("tries", SmallInteger, nullable=False, server_default=ZERO, comment="of the piece after `place`"),
    Column("leased_until", instant, nullable=False, server_default=text("'-infinity'")),
    Column("subjects", BigInteger, nullable=False, server_default=ZERO),
    Column("contributions", BigInteger, nullable=False, server_default=ZERO),
    Column("seals", BigInteger, nullable=False, server_default=ZERO),
    Column("events", BigInteger, nullable=False, server_default=ZERO),
    Column("differences", BigInteger, nullable=False, server_default=ZERO),
    Column("first_difference", Text),
    Column("latest", Boolean, nullable=False, server_default=text("false"), comment="the tenant's present result"),
    Index("verifications_by_tenant", "tenant", "id"),
    Index("verifications_unfinished", "tenant", unique=True, postgresql_where=text("finished_at IS NULL")),
    Index("verifications_latest", "tenant", unique=True, postgresql_where=text("latest")),
)
"""One that is running has no `finished_at`; the last finished ones of each tenant stay as its history."""
