"""Contributions, and the sealed histograms that count them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.metrics.store.tables.base import instant, interned, metadata, unused_since
from shared.events import DIMENSIONS

measures = interned("measures", "name", Column("retired", Boolean, nullable=False, server_default=text("false")))
terms = interned("terms", "term", unused_since())
customers = interned("customers", "pseudonym", unused_since())

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
    Column("held_by", BigInteger, comment="the id of which `held` and `cuboids` are"),
    Column("held", BigInteger, comment="a bit for each cuboid that is stored whole"),
    Column("cuboids", SmallInteger, comment="the CUBOIDS_VERSION of the count"),
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
    Column("revision", SmallInteger, nullable=False, comment="the CUBOIDS_VERSION for which all spans were sealed"),
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
    Column("second", Integer, comment="the value of a pair's second dimension"),
    Column("bins", ARRAY(Integer), nullable=False),
    Column("counts", ARRAY(BigInteger), nullable=False),
    Column("total", Numeric, nullable=False),
    Column("squares", Numeric, nullable=False),
    Index("histograms_by_seal", "seal_id", "cuboid"),
)
