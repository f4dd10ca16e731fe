"""The tables of the database `metrics`.

Values are interned per tenant (`measures`, `terms`, `customers`), so that contributions are rows of integers. The hot tables have
no foreign keys: their rows are written under the lock of their subject by the one writer there is, and a check per row would cost
more than the row. Contributions have no key either: they are a multiset.
"""

from services.metrics.store.tables.base import metadata
from services.metrics.store.tables.counts import (
    contributions,
    customers,
    histograms,
    measures,
    sealing,
    seals,
    terms,
)
from services.metrics.store.tables.progress import progress, tenant_revisions, writer_versions
from services.metrics.store.tables.subjects import freezing, frozen_subjects, purges, scores, statements, subjects
from services.metrics.store.tables.tenants import (
    builds,
    calendars,
    names,
    promotions,
    rebuilds,
    sla_policies,
    tenants,
    terms_revisions,
    tool_names,
)
from services.metrics.store.tables.verifications import verifications

__all__ = [
    "builds",
    "calendars",
    "contributions",
    "customers",
    "freezing",
    "frozen_subjects",
    "histograms",
    "measures",
    "metadata",
    "names",
    "progress",
    "promotions",
    "purges",
    "rebuilds",
    "scores",
    "sealing",
    "seals",
    "sla_policies",
    "statements",
    "subjects",
    "tenant_revisions",
    "tenants",
    "terms",
    "terms_revisions",
    "tool_names",
    "verifications",
    "writer_versions",
]
