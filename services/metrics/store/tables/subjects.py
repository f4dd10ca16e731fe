"""Subjects with their statements and scores: everything else of a tenant is computed from them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.metrics.store.tables.base import instant, metadata

subjects = Table(
    "subjects",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("erased", Boolean, nullable=False, server_default=text("false")),
    Column("judged", Boolean, nullable=False, server_default=text("false"), comment="a human judged one of its comments, ever"),
    UniqueConstraint("tenant", "subject", name="subjects_key"),
    Index("subjects_judged", "tenant", "id", postgresql_where=text("judged AND NOT erased")),
)

statements = Table(
    "statements",
    metadata,
    Column("subject_id", BigInteger, nullable=False),
    Column("statement", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("position", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subject_id", "statement", name="statements_pkey"),
)

scores = Table(
    "scores",
    metadata,
    Column("subject_id", BigInteger, nullable=False),
    Column("text_hash", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subject_id", "text_hash", "model", name="scores_pkey"),
)

purges = Table(
    "purges",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("erased_at", instant, nullable=False, comment="the last erasure of one of its subjects"),
    Column("due", instant, nullable=False),
)
"""Tenants of which subjects were erased: their values that nothing uses any more are to be deleted."""
