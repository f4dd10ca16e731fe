"""The tables of imports. `metadata` holds those of `tables.py` too."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.ingest.store.tables import metadata

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("format", Text, nullable=False, comment="csv, ndjson or a provider"),
    Column("mapping", JSONB(none_as_null=True), comment="mapping of a CSV file"),
    Column("state", Text, nullable=False, server_default="uploading"),
    Column("sha256", Text, comment="SHA-256 of the file: first as the client states it, then as computed"),
    Column(
        "prepared", Boolean, nullable=False, server_default="false", comment="whether sha256 is computed and the header is read"
    ),
    Column("header", ARRAY(Text), comment="columns of a CSV file"),
    Column("parts", Integer, nullable=False, server_default="0", comment="number of uploaded parts"),
    Column("bytes", BigInteger, nullable=False, server_default="0", comment="number of uploaded bytes"),
    Column(
        "part",
        Integer,
        nullable=False,
        server_default="1",
        comment="part in which reading continues: what is before that position is stored",
    ),
    Column("part_offset", BigInteger, nullable=False, server_default="0", comment="byte of that part at which reading continues"),
    Column("line", BigInteger, nullable=False, server_default="0", comment="number of lines before that position"),
    Column("bytes_read", BigInteger, nullable=False, server_default="0", comment="number of bytes before that position"),
    Column("results", JSONB, nullable=False, server_default="{}", comment="number of records by result"),
    Column("reason", Text, comment="why it failed"),
    Column("requested_by", Text, comment="id of the API key; null: the operator"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("claimed", DateTime(timezone=True), comment="when it was claimed last"),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column(
        "changed", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="latest upload or change of state"
    ),
    Column("started", DateTime(timezone=True)),
    Column("finished", DateTime(timezone=True)),
    Column("request_id", Text, comment="id of the request that started it"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="failed attempts to prepare it"),
    Index("imports_by_tenant", "tenant", "id"),
    Index("imports_open", "state", "tenant", postgresql_where=text("finished IS NULL")),
)

import_parts = Table(
    "import_parts",
    metadata,
    Column("import_id", BigInteger, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 1"),
    Column("sha256", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("label", Text, Computed("import_id::text || ':' || number::text", persisted=True), unique=True),
    Column("content", LargeBinary, comment="encrypted; null once its records are stored"),
)

import_ranges = Table(
    "import_ranges",
    metadata,
    Column("import_id", BigInteger, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="from 1, in the order of the file"),
    Column(
        "part",
        Integer,
        nullable=False,
        comment="part in which reading continues: what the range has before that position is stored",
    ),
    Column("part_offset", BigInteger, nullable=False, comment="byte of that part at which reading continues"),
    Column("line", BigInteger, nullable=False, comment="number of lines of the file before that position"),
    Column("end_part", Integer, comment="part in which the next range begins; null: this is the last range"),
    Column("end_offset", BigInteger, comment="byte of end_part at which the next range begins"),
    Column("end_line", BigInteger, comment="number of lines of the file before the next range"),
    Column(
        "bytes_read",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="number of bytes of the range that are read and stored",
    ),
    Column("results", JSONB, nullable=False, server_default="{}", comment="number of records by result"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="consecutive attempts without progress"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("finished", DateTime(timezone=True)),
    Column("reason", Text, comment="why the rest of the range could not be read"),
)
"""Ranges of the files of imports that run. Their results are added to those of the import when it ends."""

import_errors = Table(
    "import_errors",
    metadata,
    Column("import_id", BigInteger, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False, comment="number of the error in its record"),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

erased_names = Table(
    "erased_names",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of tenant, slash and pseudonym"),
    Column(
        "requested",
        Boolean,
        nullable=False,
        comment="true: the request stated the pseudonym; false: it was linked to one that the request stated",
    ),
    Column("erased_at", DateTime(timezone=True), nullable=False),
)
"""Digests of the pseudonyms of erased customers, so that an import stores no older feedback of theirs. A trigger fills it."""
