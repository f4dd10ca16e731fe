"""The tables of ingest. Others are in body_tables.py, erasure_tables.py and replay_tables.py.

Columns whose names begin with `sealed` have encrypted values: in code they are `encrypted_key`, `encrypted_secrets` and so on.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.ingest.domain.delivery import SQL_IS_PLAIN
from services.ingest.domain.tombstone import SQL_FINGERPRINT
from services.ingest.store import replay_tables

metadata = replay_tables.metadata

tenants = Table(
    "tenants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("sealed_key", LargeBinary, key="encrypted_key", nullable=False, comment="the key of its pseudonyms, encrypted"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, ForeignKey("tenants.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="active"),
    Column("revision", Integer, nullable=False, server_default="1"),
    Column("mapping", JSONB, nullable=False, server_default="{}"),
    Column("dimensions", JSONB, nullable=False, server_default="{}"),
    Column(
        "sealed_secrets", LargeBinary, key="encrypted_secrets", nullable=False, comment="a JSON list, the newest first, encrypted"
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("sealed_credentials", LargeBinary, key="encrypted_credentials", comment="of the tool's API, as JSON, encrypted"),
    Index("connections_by_tenant", "tenant", "created_at"),
    Index("connections_built_in", "tenant", unique=True, postgresql_where=text("provider = 'api'")),
)

taxonomies = Table(
    "taxonomies",
    metadata,
    Column("tenant", Text, ForeignKey("tenants.id"), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("themes", JSONB(none_as_null=True), comment="list of shared.taxonomy.ThemeDefinition; null: the default themes again"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

inbox_seq = Sequence("inbox_seq", metadata=metadata)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("delivery", Text, comment="the tool's id of the delivery; null: duplicates are found by content"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("headers", Text, nullable=False, comment="the headers that parsing needs, as JSON"),
    Column("raw", LargeBinary, comment="null once erased"),
    Column("verdict", Text, nullable=False, comment="accepted, quarantined, ignored, held, pending, erased or discarded"),
    Column("reason", Text),
    Column("revision", Integer, nullable=False, comment="revision of the mapping under which the verdict was reached"),
    Column("reason_code", Text, comment="why it is or was in quarantine; null: never, or stored by an earlier version"),
    Column("body_key", BigInteger, comment="id of the key that encrypts `raw`; null: `raw` is plain"),
    Column(
        "historical",
        Boolean,
        nullable=False,
        server_default="false",
        comment="of an import or a back-fill: compared with erased customers when it is read",
    ),
    UniqueConstraint("connection", "delivery", name="inbox_deliveries"),
    Index("inbox_bodies", "tenant", "seq", postgresql_where=text("raw IS NOT NULL")),
    Index("inbox_quarantined", "tenant", "seq", postgresql_where=text("verdict = 'quarantined'")),
    Index(
        "inbox_unread",
        "tenant",
        "verdict",
        "seq",
        postgresql_include=["connection", "reason_code", "received_at"],
        postgresql_where=text("verdict IN ('quarantined', 'discarded')"),
    ),
    Index("inbox_held", "connection", "seq", postgresql_where=text("verdict = 'held'")),
    Index("inbox_body_keys", "body_key", postgresql_where=text("body_key IS NOT NULL")),
    Index("inbox_plain_bodies", "seq", postgresql_where=text(SQL_IS_PLAIN)),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("tenant", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("customer", Text, comment="pseudonym"),
    Column("email", Text, comment="pseudonym of the customer's e-mail address"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("fingerprint", LargeBinary, nullable=False, comment="equal for equal content"),
    Column("event", Text, nullable=False, comment="shared.events.Event as JSON, as it is published"),
    Column(
        "aliases",
        ARRAY(Text),
        comment="further pseudonyms, an @ before those of addresses; null: stored by a version without namespaces of tools",
    ),
    Index("events_by_subject", "tenant", "subject", "seq"),
    Index("events_by_customer", "tenant", "customer", postgresql_where=text("customer IS NOT NULL")),
    Index("events_by_email", "tenant", "email", postgresql_where=text("email IS NOT NULL")),
    Index("events_by_alias", "aliases", postgresql_using="gin", postgresql_where=text("aliases <> '{}'")),
    Index("events_by_receipt", "received_at", postgresql_using="brin"),
    Index("events_tombstones", "tenant", "subject", postgresql_where=text(f"fingerprint = {SQL_FINGERPRINT}")),
)

unpublished = Table(
    "unpublished",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("due", DateTime(timezone=True), nullable=False, comment="when the sweeper may publish it"),
    Column("tenant", Text, nullable=False, server_default=""),
    Column(
        "comments",
        Integer,
        nullable=False,
        server_default="0",
        comment="characters of comments that are to be published again for scoring; 0: nothing is published yet",
    ),
    Column("request_id", Text, comment="id of the request that brought it or requested its replay"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Column("replayed", Boolean, nullable=False, server_default="false", comment="whether a replay added the row"),
    Index("unpublished_events", "tenant", "due", "seq", postgresql_where=text("comments = 0")),
    Index("unpublished_comments", "tenant", "due", "seq", postgresql_where=text("comments > 0")),
    Index("unpublished_replayed", "seq", postgresql_where=text("replayed AND comments = 0")),
)

delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

connection_activity = Table(
    "connection_activity",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("last_delivery", DateTime(timezone=True), comment="receipt of the latest verified delivery"),
    Column("read_revision", Integer, comment="the latest revision of the mapping under which a delivery was accepted"),
)

unmapped_questions = Table(
    "unmapped_questions",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("ref", Text),
    Column("title", Text),
    Column("seen", BigInteger, nullable=False, comment="accepted deliveries that answer it"),
    Column("last_seen", DateTime(timezone=True), nullable=False),
)

mapped_keys = Table(
    "mapped_keys",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("section", Text, primary_key=True, comment="questions, dimensions or own_dimensions"),
    Column("key", Text, primary_key=True, comment="occurred in an accepted delivery"),
)

fetches = Table(
    "fetches",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("key", Text, primary_key=True, comment="what to fetch, in the provider's own form"),
    Column("tenant", Text, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="seq of the delivery that the fetch completes"),
    Column("next", BigInteger, comment="seq of a delivery that arrived during a fetch and needs another one"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("token", Text, comment="token of the claim under which a process fetches; null: none does"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("request_id", Text, comment="id of the request that brought the delivery"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Column("added", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("fetches_due", "connection", "due", "seq"),
    Index("fetches_by_tenant", "tenant", "seq"),
    Index("fetches_by_age", "added"),
)
"""Pending deliveries: one row for each thing to fetch from a tool's API. The row is deleted when that is done."""

tool_apis = Table(
    "tool_apis",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default="0", comment="number of consecutive failures"),
    Column("blocked_until", DateTime(timezone=True), comment="no call before this time, by Retry-After or after failures"),
    Column("stopped", Text, comment="why no call is made until the credentials change; null: calls are made"),
    Column("last_success", DateTime(timezone=True)),
    Column("last_error", Text),
    Column("last_error_at", DateTime(timezone=True)),
)

value_names = Table(
    "value_names",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("dimension", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stated_at", DateTime(timezone=True), nullable=False, comment="receipt of the delivery that stated it"),
    Column("due", DateTime(timezone=True), comment="when it may be sent to metrics; null: metrics has it"),
    Index("value_names_due", "due", postgresql_where=text("due IS NOT NULL")),
)
"""Names of teams, agents and surveys. Those of agents are personal data of a tenant's staff."""

rereads = Table(
    "rereads",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("connection", Text, comment="null: all of the tenant"),
    Column("subject", Text, comment="null: all"),
    Column("since", DateTime(timezone=True), comment="received at or after; null: all"),
    Column("until", DateTime(timezone=True), comment="received before; null: all"),
    Column("reached", BigInteger, nullable=False, server_default="-1", comment="deliveries up to this seq are read"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("request_id", Text, comment="id of the request that added the job"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
)
"""Jobs that read stored bodies again, as versions before `delivery_jobs` add them. The worker moves them there."""

delivery_jobs = Table(
    "delivery_jobs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="reread, retry, discard or backfill"),
    Column("connection", Text, comment="null: all of the tenant"),
    Column("provider", Text, comment="null: all"),
    Column("reason_code", Text, comment="null: all"),
    Column("subject", Text, comment="null: all"),
    Column("since", DateTime(timezone=True), comment="received at or after; null: all"),
    Column("until", DateTime(timezone=True), comment="received before; null: all"),
    Column("quarantined", BigInteger, comment="seq of the job's only delivery; null: a filter selects them"),
    Column("upto", BigInteger, comment="seq of the last delivery that the job may have; null: no bound"),
    Column("reached", BigInteger, nullable=False, server_default="-1", comment="deliveries up to this seq are done"),
    Column("matched", BigInteger, nullable=False, server_default="0", comment="number of deliveries when it was added"),
    Column("results", JSONB, nullable=False, server_default="{}", comment="number of deliveries by outcome"),
    Column("requested_by", Text, comment="id of the API key; null: the operator"),
    Column("due", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="when it may be claimed"),
    Column("claimed", DateTime(timezone=True), comment="when it was claimed last"),
    Column("added", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("finished", DateTime(timezone=True)),
    Column("request_id", Text, comment="id of the request that added the job"),
    Column("traceparent", Text, comment="of the same request, if it had one"),
    Column("cursor", JSONB, comment="cursor of a back-fill's next page; null: no page is left"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="consecutive failed attempts"),
    Column("problem", Text, comment="why it waits, or why it ended without success"),
    Column("canceled", Boolean, nullable=False, server_default="false"),
    Index("delivery_jobs_by_tenant", "tenant", "id"),
    Index("delivery_jobs_open", "tenant", postgresql_where=text("finished IS NULL")),
    Index(
        "delivery_jobs_one_backfill",
        "connection",
        unique=True,
        postgresql_where=text("kind = 'backfill' AND finished IS NULL"),
    ),
    Index("delivery_jobs_backfills", "connection", "id", postgresql_where=text("kind = 'backfill'")),
)
"""Jobs that work through stored deliveries, or fetch the history of a tool. They stay after their end, as the record of who did
what."""
