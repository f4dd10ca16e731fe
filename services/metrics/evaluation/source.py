"""The database that queries are evaluated on."""

from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from services.metrics.evaluation.row_cache import Caches
from shared.topics import EVENTS, SCORES

PARTITIONS = EVENTS.partitions + SCORES.partitions
"""Partitions that must have been read before there is a watermark."""

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Where sums over all time start, such as the backlog."""


@dataclass(frozen=True, slots=True)
class Source:
    """The database of metrics. `default_model` counts for a tenant for which no model was promoted.

    `scan_reason`: why the query reads contributions one by one (`services.metrics.evaluation.scans`), which has limits.
    `caches`: what this process caches of stored counts.
    """

    pool: asyncpg.Pool
    default_model: str
    partitions: int = PARTITIONS
    scan_reason: str | None = None
    caches: Caches | None = None
