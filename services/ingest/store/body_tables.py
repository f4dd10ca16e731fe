"""The tables about the storage of bodies: their keys, and for how long they are stored. tables.py adds all others."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    func,
)  # fmt: skip

metadata = MetaData()

body_key_seq = Sequence("body_key_seq", metadata=metadata)

body_keys = Table(
    "body_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False, comment="the key, encrypted"),
)
"""Keys of encrypted bodies. They may be in a database of their own (INGEST_KEYS_DATABASE_URL)."""

body_key_blocks = Table(
    "body_key_blocks",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("renewed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
"""Keys with consecutive numbers, in the database of the keys. Unless a process renews the block, its unused keys are deleted."""

spent_body_keys = Table(
    "spent_body_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
)
"""Keys whose body was deleted or replaced: triggers on `inbox` insert them, and a worker deletes both rows."""

retention = Table(
    "retention",
    metadata,
    Column("tenant", Text, ForeignKey("tenants.id"), primary_key=True),
    Column("body_days", Integer, comment="days for which bodies are stored; null: always"),
    Column("quarantine_days", Integer, comment="days after which quarantined deliveries are discarded; null: never"),
    Column("deleted_before", DateTime(timezone=True), comment="bodies received before this time are deleted by age; null: none"),
    Column("reached", BigInteger, nullable=False, server_default="-1", comment="bodies up to this seq are done in this pass"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("retention_due", "due"),
)
