"""The table of replays. tables.py adds all others."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text, func, text

from services.ingest.store import erasure_tables

metadata = erasure_tables.metadata

replays = Table(
    "replays",
    metadata,
    Column("tenant", Text, primary_key=True, comment="empty: of all tenants"),
    Column("id", Text, primary_key=True, comment="chosen by the requester, so that a repeated request adds no replay"),
    Column("connection", Text, comment="null: all"),
    Column("subject", Text, comment="null: all"),
    Column("since", DateTime(timezone=True), comment="received at or after; null: all"),
    Column("until", DateTime(timezone=True), comment="received before; null: all"),
    Column("first", BigInteger, nullable=False, comment="the replay has only deliveries after this seq"),
    Column("upto", BigInteger, nullable=False, comment="seq of the last delivery that the replay may have"),
    Column("reached", BigInteger, nullable=False, comment="deliveries up to this seq are handed to the outbox"),
    Column(
        "reached_at",
        DateTime(timezone=True),
        comment="the deliveries after `reached` were received at about this time or later; null: there is none",
    ),
    Column(
        "queued",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="deliveries handed to the outbox, except those that waited there already",
    ),
    Column("requested_by", Text, comment="id of the API key; null: the operator or a service of ours"),
    Column("added", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("worked", DateTime(timezone=True), comment="when the latest step ended"),
    Column("finished", DateTime(timezone=True)),
    Column("request_id", Text, comment="id of the request for it"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Index("replays_open", "tenant", postgresql_where=text("finished IS NULL")),
    Index("replays_turns", "tenant", "worked"),
)
"""Replays: stored events that are published again. They stay after their end, so that a repeated request adds none."""
