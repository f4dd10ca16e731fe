"""Tenants with their settings: terms, promoted models, names; and the builds that a change of the terms starts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.metrics.store.tables.base import instant, metadata, versions

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
    Column(
        "calendars",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how many rows of calendars apply, from the first on",
    ),
    Column(
        "policies",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how many rows of sla_policies apply, from the first on",
    ),
    Column("presets", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="those that are switched on"),
    Column(
        "own_presets",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how many rows of presets apply, from the first on",
    ),
    PrimaryKeyConstraint("tenant", "revision", name="terms_revisions_pkey"),
)
"""The terms of tenants. A tenant's first revision, without dimensions of its own, needs no row. Rows are never changed."""

calendars = versions("calendars", "a version of a calendar, as JSON")
sla_policies = versions("sla_policies", "a version of the SLA policies, as JSON")
presets = versions("presets", "a version of a preset, as JSON")

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

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("tenant", Integer, primary_key=True, autoincrement=False),
    Column("requested_at", instant, nullable=False),
    Column("finished_at", instant, comment="when the new contributions were served"),
    Column("comparison", LargeBinary, comment="of the old and the new contributions, as JSON"),
    Column("invalid", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="subjects that can't be folded"),
)
"""The last rebuild of each tenant that was requested. The row of `builds` has its progress."""

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
changed or removed."""

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
