"""KPI results and pages of records as JSON."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from services.metrics.domain.estimator import Estimate
from services.metrics.domain.intervals import Interval
from services.metrics.domain.query import Query
from services.metrics.domain.windows import Window
from services.metrics.evaluation.presets import Side
from services.metrics.evaluation.records import RecordEntry, RecordPage
from services.metrics.evaluation.results import Compared, Result, Row
from services.metrics.evaluation.unknown_values import UnknownValues
from services.metrics.store.names import Directory
from services.metrics.store.progress import Freshness
from services.metrics.store.run_cache import Group


async def encode_result(result: Result, sides: Sequence[Side], fields: Sequence[str]) -> bytes:
    """The result as JSON. Its rows have these `fields`, and the values under the presets of `sides`; each is encoded once it is
    computed."""
    head = head_of(result.query, result.window, result.freshness, result.unknown)
    if sides:
        head["compare_presets"] = [side_of(side) for side in sides]
    beside = [side.result.rows() for side in sides]
    encoded: list[dict[Group, bytes]] = [{} for _ in result.series[0].period.buckets]
    sampled: set[Group] = set()
    async for row in result.rows():
        others = [(side, await anext(values)) for side, values in zip(sides, beside, strict=True)]
        of_bucket = encoded[row.number]
        of_bucket[row.group] = msgspec.json.encode(select_fields(row_of(result, row) | values_beside(row, others), fields))
        if row.estimate.n > 0:
            sampled.add(row.group)
        if len(of_bucket) == len(result.groups):
            result.cache(row.number, of_bucket, sampled)
            sampled = set()
    if result.cached is not None:
        for number, bucket in result.cached.buckets.items():
            encoded[number] = of_bucket = dict(bucket.rows)
            for group in result.groups:
                if group not in of_bucket:
                    of_bucket[group] = msgspec.json.encode(select_fields(row_of(result, result.empty_row(number, group)), fields))
    rows = b",".join([of_bucket[group] for of_bucket in encoded for group in result.groups])
    return b"".join((msgspec.json.encode(head)[:-1], b',"rows":[', rows, b"]}"))


def encode_records(page: RecordPage, fields: Sequence[str]) -> bytes:
    """A page of records as JSON, with these fields of the records."""
    head = head_of(page.query, page.window, page.freshness, page.unknown)
    body = {
        **head,
        "dimensions": page.own_dimensions,
        "next": str(page.next) if page.next else None,
        "records": [select_fields(record_of(entry, page.window.zone, page.names), fields) for entry in page.entries],
    }
    return msgspec.json.encode(body)


def select_fields(entry: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """The fields of an entry that are selected; it may lack some of them."""
    return {name: value for name, value in entry.items() if name in fields}


def head_of(query: Query, window: Window, fresh: Freshness, unknown: UnknownValues) -> dict[str, Any]:
    """The fields of a response except its rows or records."""
    return {
        "kpi": query.kpi.id,
        "version": query.kpi.version,
        "unit": query.kpi.unit,
        "window": window_of(window),
        "watermark": fresh.watermark.isoformat() if fresh.watermark else None,
        "unknown_filter_values": unknown.values,
        "suggested_filter_values": unknown.suggestions,
        "terms": terms_of(query, fresh),
    }


def terms_of(query: Query, fresh: Freshness) -> dict[str, Any]:
    """The revision of the terms, and the preset of the query if it has one."""
    return {"revision": fresh.terms_revision} | ({"preset": query.preset} if query.preset else {})


def window_of(window: Window) -> dict[str, str]:
    """The bounds of a window in its zone, as JSON."""
    return {"from": local(window.start, window.zone), "to": local(window.end, window.zone), "tz": window.zone.key}


def local(at: datetime, zone: ZoneInfo) -> str:
    """An instant in ISO 8601, with the offset of `zone`."""
    return at.astimezone(zone).isoformat()


def row_of(result: Result, row: Row) -> dict[str, Any]:
    """One row of a result as JSON, with its comparisons if the query has any."""
    zone, estimate = result.window.zone, row.estimate
    fields: dict[str, Any] = {
        "from": local(row.bucket.start, zone),
        "to": local(row.bucket.end, zone),
        "dims": (dims := dict(zip(result.query.group_by, row.group, strict=True))),
        "names": names_in(dims, result.names),
        "value": estimate.value,
        "n": estimate.n,
        "numerator": estimate.numerator,
        "denominator": estimate.denominator,
        "interval": interval_of(estimate.interval),
        "distribution": distribution_of(estimate),
        "flags": row.flags,
    }
    if row.compared:
        fields["compare"] = [compared_of(comparison) for comparison in row.compared]
    if result.next_breaches is not None:
        at = result.next_breaches.of(row.bucket, row.group)
        fields["next_breach"] = None if at is None else local(at, zone)
    return fields


def side_of(side: Side) -> dict[str, Any]:
    """A preset that the result is compared with, as JSON."""
    return {
        "preset": side.preset.id,
        "name": side.preset.name,
        "difference": side.difference,
        "tickets": side.tickets,
        "different_tickets": side.different,
    }


def values_beside(row: Row, others: Sequence[tuple[Side, Row]]) -> dict[str, Any]:
    """The field of a row with its values under other presets; nothing without any."""
    value = row.estimate.value
    values = [
        {
            "preset": side.preset.id,
            "value": other.estimate.value,
            "n": other.estimate.n,
            "delta": None if value is None or other.estimate.value is None else other.estimate.value - value,
            "interval": interval_of(other.estimate.interval),
            "flags": other.flags,
        }
        for side, other in others
    ]
    return {"presets": values} if values else {}


def names_in(dims: Mapping[str, str | None], names: Directory) -> dict[str, str]:
    """The names of the values in `dims`, by dimension; values without a name are left out."""
    return {
        name: by_value[value] for name, by_value in names.items() if (value := dims.get(name)) is not None and value in by_value
    }


def interval_of(interval: Interval | None) -> dict[str, Any] | None:
    """A confidence interval as JSON."""
    if interval is None:
        return None
    return {"low": interval.low, "high": interval.high, "level": interval.level, "method": interval.method}


def distribution_of(estimate: Estimate) -> dict[int, int] | None:
    """Counts by place on the scale, in ascending order; msgspec encodes the places as strings."""
    counts = estimate.distribution
    if counts is None:
        return None
    places = sorted(counts)
    return dict(counts) if places == [*counts] else {place: counts[place] for place in places}


def compared_of(compared: Compared) -> dict[str, Any]:
    """The comparison with another window as JSON."""
    return {
        "to": compared.to,
        "value": compared.estimate.value,
        "n": compared.estimate.n,
        "delta": compared.delta,
        "significant": compared.significant,
    }


def record_of(entry: RecordEntry, zone: ZoneInfo, names: Directory) -> dict[str, Any]:
    """A record as JSON, with the fields of its comment if it has one."""
    fields: dict[str, Any] = {
        "subject": entry.subject,
        "at": local(entry.at, zone),
        "measure": entry.measure,
        "value": entry.value,
        "dims": entry.dims,
        "names": names_in(entry.dims, names),
        "text": entry.text,
    }
    return fields if entry.comment is None else fields | msgspec.structs.asdict(entry.comment)
