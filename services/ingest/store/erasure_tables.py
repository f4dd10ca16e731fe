"""The tables about erasures: the jobs, and names that stay shared. tables.py adds all others."""

from sqlalchemy import BigInteger, Column, DateTime, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.ingest.store import body_tables

metadata = body_tables.metadata

erasures = Table(
    "erasures",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="seq of the erasure in the inbox"),
    Column("tenant", Text, nullable=False),
    Column("names", ARRAY(Text), nullable=False, comment="every pseudonym of the customer"),
    Column("requested", ARRAY(Text), nullable=False, comment="pseudonyms that the request itself states"),
    Column("reached", BigInteger, nullable=False, server_default="-1", comment="bodies up to this seq are searched"),
    Column(
        "due",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="when an earlier version may claim it; infinity: never",
    ),
    Column("claimable", DateTime(timezone=True), comment="when this version may claim it; null: an earlier version added it"),
    Column("remaining", JSONB, comment="which statements are still to be erased; null: none"),
    Column(
        "batches", ARRAY(BigInteger), nullable=False, server_default="{}", comment="seq of deliveries with further tombstones"
    ),
)
"""Erasures whose customer must still be searched for in stored bodies. The row, with its pseudonyms, is deleted after that."""

shared_mailboxes = Table(
    "shared_mailboxes",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("address", Text, primary_key=True, comment="pseudonym of an address or of an id"),
)
"""Names that many people had when some of these were erased: they stay shared, with fewer statements."""
