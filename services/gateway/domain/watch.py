"""What a live stream watches: its query in one spelling, how soon to look again, and when an answer says something new."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from urllib.parse import urlencode

import msgspec

KPIS_LIMIT = 30
QUERY_LIMIT = 4_000
SOONEST, LATEST = 1.0, 10.0
WINDOW = re.compile(r"(\d{1,5})([mhd])")
UNITS = {"m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Watch:
    """KPIs to watch, each with the same `query`, which is spelled alike for all who ask the same."""

    kpis: tuple[str, ...]
    query: str
    recheck: float
    """Seconds after which the window alone may have changed the value."""


def watch(params: Iterable[tuple[str, str]]) -> Watch:
    """What `?kpis=nps,csat&window=24h&…` asks for: all but `kpis` is a query of KPIs. Raises ValueError with the reason."""
    given = list(params)
    kpis = tuple(dict.fromkeys(k.strip() for name, value in given if name == "kpis" for k in value.split(",") if k.strip()))
    if not 1 <= len(kpis) <= KPIS_LIMIT:
        raise ValueError(f"1 to {KPIS_LIMIT} ids of KPIs, separated by commas")
    rest = sorted(((name, value) for name, value in given if name != "kpis"), key=lambda pair: pair[0])
    query = urlencode(rest)
    if len(query) > QUERY_LIMIT:
        raise ValueError(f"the query is longer than {QUERY_LIMIT} characters")
    return Watch(kpis, query, recheck(dict(rest).get("window", "")))


def recheck(window: str) -> float:
    """A thousandth of a sliding window, within bounds: what moves on meanwhile is hardly visible. Other windows: LATEST."""
    found = WINDOW.fullmatch(window)
    return min(LATEST, max(SOONEST, int(found[1]) * UNITS[found[2]] / 1000)) if found else LATEST


def fingerprint(answer: Mapping[str, Any]) -> str:
    """A short name for what an answer says. The ends of its window, which move with the clock, are no news; buckets' ends are."""
    window = answer.get("window") or {}
    moving = {window.get("from"), window.get("to")}
    rows = [
        {name: value for name, value in row.items() if not (name in {"from", "to"} and value in moving)}
        for row in answer.get("rows", ())
    ]
    return short(msgspec.json.encode([answer.get("kpi"), answer.get("version"), rows], order="sorted"))


def together(fingerprints: Sequence[str]) -> str:
    """One name for several things said."""
    return short("\n".join(fingerprints).encode())


def short(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
