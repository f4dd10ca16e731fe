"""The tables about the storage of bodies: their keys. tables.py adds all others."""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Sequence, Table

metadata = MetaData()

body_key_seq = Sequence("body_key_seq", metadata=metadata)

body_keys = Table(
    "body_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed", LargeBinary, nullable=False, comment="the key, encrypted"),
)
"""Keys of encrypted bodies. They may be in a database of their own (INGEST_KEYS_DATABASE_URL)."""

spent_body_keys = Table(
    "spent_body_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
)
"""Keys whose body was deleted or replaced: triggers on `inbox` insert them, and a worker deletes both rows."""
