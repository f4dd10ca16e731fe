"""Queries of a live stream: parsing, how often to evaluate them again, and fingerprints that tell results apart.

A stream watches KPIs, or the list of upcoming SLA deadlines.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import msgspec

from shared.windows import parse_length

MAX_KPIS = 30
MAX_QUERY_LENGTH = 4_000
MIN_RECHECK, MAX_RECHECK = 1.0, 10.0

UPCOMING = "sla/upcoming"
"""The list of upcoming SLA deadlines, in place of a KPI's id."""
UPCOMING_CHANGED_BY = frozenset({"sla_breached_open"})
"""KPIs that change with the list."""


@dataclass(frozen=True, slots=True)
class Watch:
    """KPIs to watch, or UPCOMING, each with the same `query`, normalised so that equal queries are equal strings."""

    kpis: tuple[str, ...]
    query: str
    recheck: float
    """Seconds after which the moving window alone may have changed the value."""


def parse_watch(params: Iterable[tuple[str, str]]) -> Watch:
    """Parse `kpis=nps,csat&window=24h&…`, or `sla=upcoming&within=4h&…`.

    Every other parameter belongs to the query. Raises ValueError.
    """
    pairs = list(params)
    kpis = tuple(dict.fromkeys(k.strip() for name, value in pairs if name == "kpis" for k in value.split(",") if k.strip()))
    if any(name == "sla" for name, _ in pairs):
        if kpis:
            raise ValueError("a stream has KPIs or sla=upcoming, not both")
        kpis = (UPCOMING,)
    elif not 1 <= len(kpis) <= MAX_KPIS:
        raise ValueError(f"1 to {MAX_KPIS} ids of KPIs, separated by commas")
    rest = sorted(((name, value) for name, value in pairs if name not in ("kpis", "sla")), key=lambda pair: pair[0])
    query = urlencode(rest)
    if len(query) > MAX_QUERY_LENGTH:
        raise ValueError(f"the query is longer than {MAX_QUERY_LENGTH} characters")
    return Watch(kpis, query, recheck_seconds(dict(rest).get("window", "")))


def recheck_seconds(window: str) -> float:
    """A thousandth of a sliding window within bounds, because smaller moves are hardly visible. MAX_RECHECK for other windows."""
    length = parse_length(window)
    return min(MAX_RECHECK, max(MIN_RECHECK, length.total_seconds() / 1000)) if length else MAX_RECHECK


def fingerprint(result: Mapping[str, Any]) -> str:
    """A short hash of a result. It leaves out what moves with the clock alone: the window's bounds, but not those of its buckets,
    and the seconds until a deadline."""
    window = result.get("window") or {}
    moving = {window.get("from"), window.get("to")}
    rows = [
        {
            name: value
            for name, value in row.items()
            if name != "seconds_left" and not (name in {"from", "to"} and value in moving)
        }
        for row in result.get("rows", ())
    ]
    return _short_hash(msgspec.json.encode([result.get("kpi"), result.get("version"), rows], order="sorted"))


def combine(fingerprints: Sequence[str]) -> str:
    """One fingerprint for several."""
    return _short_hash("\n".join(fingerprints).encode())


def _short_hash(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
