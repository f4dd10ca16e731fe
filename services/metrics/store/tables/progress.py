"""The position in each partition, the revisions of the results of tenants, and the versions of processes that write."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text, Uuid, text

from services.metrics.store.tables.base import instant, metadata

progress = Table(
    "progress",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("received_at", instant, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("noted", BigInteger, nullable=False, server_default=text("0"), comment="of batches, how many are in tenant_revisions"),
    Column("replay_from", instant, comment="what follows next_offset was received since then; null: unknown"),
    Column("highest_seq", BigInteger, comment="the highest sequence number of its events; null: none since the column was added"),
    PrimaryKeyConstraint("topic", "partition", name="progress_pkey"),
)

tenant_revisions = Table(
    "tenant_revisions",
    metadata,
    Column("tenant", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    PrimaryKeyConstraint("tenant", "topic", "partition", "kind", name="tenant_revisions_pkey"),
)
"""A new random value for each batch that holds something of the tenant, by kind of change."""

writer_versions = Table(
    "writer_versions",
    metadata,
    Column("version", SmallInteger, primary_key=True, autoincrement=False),
    Column("stated_at", instant, nullable=False, comment="when a process with it was last alive"),
)
"""The versions of the contributions' definition that processes write (`services.metrics.store.writer_versions`)."""
