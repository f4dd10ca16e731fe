"""The tables of the database `metrics`.

Values are interned per tenant (`measures`, `terms`, `customers`), so that contributions are rows of integers. The hot tables have
no foreign keys: their rows are written under the lock of their subject by the one writer there is, and a check per row would cost
more than the row. Contributions have no key either: they are a multiset.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.events import DIMENSIONS

metadata = MetaData()
instant = DateTime(timezone=True)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("terms_revision", Integer, nullable=False, server_default=text("1")),
    Column("building_revision", Integer),
    Column("contributions_version", SmallInteger, nullable=False, server_default=text("1")),
    Column("generation", Integer, nullable=False, server_default=text("0"), comment="how often a build was finished"),
    Column("names_revision", Integer, nullable=False, server_default=text("0")),
)

terms_revisions = Table(
    "terms_revisions",
    metadata,
    Column("tenant", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("zone", Text, nullable=False),
    Column("dimensions", ARRAY(Text), nullable=False),
    Column("made_at", instant, nullable=False),
    Column("calendars", Integer, nullable=False, server_default=text("0"), comment="the first so many rows of calendars"),
    Column("policies", Integer, nullable=False, server_default=text("0"), comment="the first so many rows of sla_policies"),
    PrimaryKeyConstraint("tenant", "revision", name="terms_revisions_pkey"),
)
"""The terms of tenants. A tenant's first revision, without dimensions of its own, needs no row. Rows are never changed."""


def versions(name: str, comment: str) -> Table:
    """A table of versions, numbered from 1 for each tenant in the order in which they were added. Rows are never changed."""
    return Table(
        name,
        metadata,
        Column("tenant", Integer, nullable=False),
        Column("number", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False, comment=comment),
        Column("made_at", instant, nullable=False),
        PrimaryKeyConstraint("tenant", "number", name=f"{name}_pkey"),
    )


calendars = versions("calendars", "a version of a calendar, as JSON")
sla_policies = versions("sla_policies", "a version of the SLA policies, as JSON")

names = Table(
    "names",
    metadata,
    Column("tenant", Integer, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("from_tool", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("tenant", "dimension", "value", name="names_pkey"),
    Index("names_by_name", "tenant", "dimension", "name"),
)
"""The names of teams, agents and surveys, by their values in records: those that the tenant set, else those of its tools
(`from_tool`). They may be names of persons: of a tenant's staff."""

tool_names = Table(
    "tool_names",
    metadata,
    Column("tenant", Integer, nullable=False),
    Column("dimension", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("stated_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant", "dimension", "value", name="tool_names_pkey"),
)
"""The latest name that a tenant's tools stated for each value, whether the tenant has set one or not."""

builds = Table(
    "builds",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("version", SmallInteger, nullable=False),
    Column("place", Text, nullable=False, server_default=text("''"), comment="the last subject that is done"),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("total", BigInteger, nullable=False),
    Column("walked_at", instant, comment="when the last subject was done"),
    Column("retiring", Boolean, nullable=False, server_default=text("false"), comment="only old rows are left"),
    Column("leased_until", instant, nullable=False, server_default=text("'-infinity'")),
)
"""Builds that bring a tenant's contributions to new terms or to a new version of their definition."""


def interned(name: str, value: str, *more: Column[Any]) -> Table:
    """A table that gives a tenant's values small numbers. A number is never given twice; `purges` deletes
    rows, and of measures the end of a build."""
    return Table(
        name,
        metadata,
        Column("id", Integer, Identity(always=True), primary_key=True),
        Column("tenant", Integer, nullable=False),
        Column(value, Text, nullable=False),
        *more,
        UniqueConstraint("tenant", value, name=f"{name}_key"),
    )


def unused_since() -> Column[Any]:
    """The mark of a value that a purge found unused."""
    return Column("unused_since", instant, comment="found unused by a purge")


measures = interned("measures", "name", Column("retired", Boolean, nullable=False, server_default=text("false")))
terms = interned("terms", "term", unused_since())
customers = interned("customers", "pseudonym", unused_since())

purges = Table(
    "purges",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("erased_at", instant, nullable=False, comment="the last erasure of one of its subjects"),
    Column("due", instant, nullable=False),
)
"""Tenants of which subjects were erased: their values that nothing uses any more are to be deleted."""

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

promotions = Table(
    "promotions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("model", Text, nullable=False),
    Column("promoted_at", instant, nullable=False),
    Column(
        "initial", Boolean, nullable=False, server_default=text("false"), comment="the default model, pinned for a new tenant"
    ),
    Index("promotions_by_tenant", "tenant", "id"),
    Index("promotions_initial", "tenant", unique=True, postgresql_where=text("initial")),
)
"""Which model's scores count for a tenant: the newest row's that isn't `initial`, else the initial one's. Rows are never
changed or
removed."""

contributions = Table(
    "contributions",
    metadata,
    Column("subject_id", BigInteger, nullable=False),
    Column("at", instant, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("tenant", Integer, nullable=False),
    Column("measure", Integer, nullable=False),
    Column("bin", Integer, nullable=False),
    *(Column(dimension, Integer) for dimension in DIMENSIONS),
    Column("customer", Integer),
    Column("themes", ARRAY(Integer), comment="terms; sorted, null for none"),
    Column("urgency", ARRAY(Integer), comment="terms; sorted, null for none"),
    Column("own", ARRAY(Integer), comment="terms, by the tenant's own dimensions; null for none"),
    Index("contributions_by_subject", "subject_id"),
    Index("contributions_by_time", "tenant", "measure", "at"),
)

seals = Table(
    "seals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("measure", Integer, nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("zone", Text, nullable=False),
    Column("starts", instant, nullable=False),
    Column("ends", instant, nullable=False),
    Column("revision", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("since", instant, nullable=False),
    CheckConstraint("state IN ('counting', 'sealed', 'open')", name="seals_state"),
    UniqueConstraint("tenant", "measure", "level", "starts", "zone", name="seals_key"),
    postgresql_with={"fillfactor": "70"},
)

sealing = Table(
    "sealing",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("due", instant, nullable=False, server_default=text("'-infinity'")),
    Column("since", instant, nullable=False, server_default=text("'-infinity'"), comment="spans that end later may lack a seal"),
    Column(
        "claimed_since",
        instant,
        nullable=False,
        server_default=text("'infinity'"),
        comment="the part of `since` that is being looked at",
    ),
    Column("until", instant, nullable=False, server_default=text("'-infinity'"), comment="spans that end later have no seal yet"),
    Column("full_look_at", instant, nullable=False, server_default=text("'-infinity'"), comment="when all spans are looked at"),
    Column("idle", Boolean, nullable=False, server_default=text("false"), comment="no contribution of the last days"),
    Column("revision", SmallInteger, nullable=False, comment="the CUBOIDS_REVISION for which spans were looked for"),
    Index("sealing_due", "due"),
    postgresql_with={"fillfactor": "70"},
)
"""When the sealer looks at each tenant next, and at which of its spans."""

histograms = Table(
    "histograms",
    metadata,
    Column("seal_id", BigInteger, nullable=False),
    Column("cuboid", SmallInteger, nullable=False),
    Column("value", Integer),
    Column("bins", ARRAY(Integer), nullable=False),
    Column("counts", ARRAY(BigInteger), nullable=False),
    Column("total", Numeric, nullable=False),
    Column("squares", Numeric, nullable=False),
    Index("histograms_by_seal", "seal_id", "cuboid"),
)

progress = Table(
    "progress",
    metadata,
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("received_at", instant, nullable=False),
    Column("batches", BigInteger, nullable=False),
    Column("noted", BigInteger, nullable=False, server_default=text("0"), comment="of batches, how many are in tenant_revisions"),
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
