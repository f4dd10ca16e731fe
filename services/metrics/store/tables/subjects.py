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
    SmallInteger,
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

frozen_subjects = Table(
    "frozen_subjects",
    metadata,
    Column("subject_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", Integer, nullable=False),
    Column("statements", Integer, nullable=False, comment="their number"),
    Column("dictionary", SmallInteger, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="statements and scores, compressed with the dictionary"),
    Index("frozen_subjects_by_tenant", "tenant"),
)
"""Subjects without rows in `statements` and `scores`: they had not been touched for as long as their tenant wants."""

freezing = Table(
    "freezing",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("after_months", SmallInteger, comment="null: frozen subjects are thawed"),
    Column("before", instant, comment="subjects untouched since then are frozen by the pass that is running"),
    Column("place", Text, nullable=False, server_default=text("''"), comment="the last subject that the pass has looked at"),
    Column("frozen_before", instant, comment="`before` of the last pass that ended"),
    Column("due", instant, nullable=False, comment="when the next piece or pass begins"),
    Index("freezing_due", "due"),
)
"""The setting of a tenant that freezes subjects, and the progress."""

purges = Table(
    "purges",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("erased_at", instant, nullable=False, comment="the last erasure of one of its subjects"),
    Column("due", instant, nullable=False),
)
"""Tenants of which subjects were erased: their values that nothing uses any more are to be deleted."""
