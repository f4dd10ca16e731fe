"""The table of replays. tables.py adds all others."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text, func, text

from services.ingest.store import erasure_tables

metadata = erasure_tables.metadata

replays = Table(
    "replays",
    metadata,
    Column("tenant", Text, primary_key=True, comment="empty: of all tenants"),
    Column("id", Text, primary_key=True, comment="by its requester, so that a repeated request adds none"),
    Column("connection", Text, comment="null: all"),
    Column("subject", Text, comment="null: all"),
    Column("since", DateTime(timezone=True), comment="received at or after; null: all"),
    Column("until", DateTime(timezone=True), comment="received before; null: all"),
    Column("first", BigInteger, nullable=False, comment="deliveries up to it were received too early"),
    Column("upto", BigInteger, nullable=False, comment="the last delivery of the replay"),
    Column("reached", BigInteger, nullable=False, comment="deliveries up to it were handed to the outbox"),
    Column(
        "reached_at",
        DateTime(timezone=True),
        comment="the deliveries after it were received since about then; null: there is none",
    ),
    Column("queued", BigInteger, nullable=False, server_default="0", comment="deliveries, without those that waited"),
    Column("requested_by", Text, comment="id of the API key; null: the operator or a service of ours"),
    Column("added", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("worked", DateTime(timezone=True), comment="when the latest step was done"),
    Column("finished", DateTime(timezone=True)),
    Column("request_id", Text, comment="of the request for it"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Index("replays_open", "tenant", postgresql_where=text("finished IS NULL")),
    Index("replays_turns", "tenant", "worked"),
)
"""Replays: stored events that are published again. They stay after their end, so that a repeated request adds none."""
