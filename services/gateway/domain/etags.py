"""Entity tags: `If-None-Match` (RFC 9110, 13.1.2), and the tags of KPI results.

The tag of a result identifies its inputs: the tenant's revision of the KPI, the query and, while the query's window is open,
the time at which the window was resolved. While they are the same, the result is the same and need not be computed again.
Events of other tenants change no tag.

A window is closed if it was given by two times and both have passed: only late events can change its result, and they
change the revision. Every other window (`24h`, `this_week`, one that ends in the future) moves with the clock. Its bounds are
resolved at each request and stay valid for one second; the tag carries the instant at which they were resolved. A 304 within
that second, with no event of the tenant in between, is correct.

A result may also change with the clock when its window is closed: a cohort of tickets loses the flag `maturing` thirty days after
the end of its bucket. Metrics says so, and the tag of such a result carries an instant too.

The tag of a document identifies its content: see `services.gateway.api.documents`.

The watermark of a result is not covered: see `services.gateway.api.kpis`.
"""

import re
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from shared.windows import parse_time

OPAQUE_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')
RESULT_TAG = re.compile(r'"(?:(\d{1,17})\.)?([0-9a-f]{24})"')

RESOLVED_FOR = timedelta(seconds=1)
CLOCK_MARGIN = timedelta(seconds=5)
"""A window counts as closed only when its end is this far in the past, because metrics reads a clock of its own."""

FIXED_COMPARISONS = {"previous", "previous_year"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_if_none_match(header: str | None) -> list[str]:
    """The tags of an `If-None-Match` header, weak ones without their `W/`, because the header compares weakly. `*` is ignored."""
    return OPAQUE_TAG.findall(header or "")


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds the representation with this tag."""
    return etag in parse_if_none_match(if_none_match)


def weak(etag: str) -> str:
    """The tag as a weak one (RFC 9110, 8.8.1): two representations with this tag may differ in insignificant bytes."""
    return f"W/{etag}"


@dataclass(frozen=True, slots=True)
class ResultKey:
    """Everything that a result depends on except events and the clock. `zone` is the tenant's; it cuts days by default.

    `format` identifies the representation: the media type and its parameters.
    """

    tenant: str
    zone: str
    path: str
    query: str
    format: str


def content_etag(*parts: bytes) -> str:
    """The tag of content, and of all else that a client reads with it."""
    digest = blake2b(digest_size=12)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return f'"{digest.hexdigest()}"'


def document_etag(content: bytes, *outside: str) -> str:
    """The tag of a JSON document: of the names and bytes of its fields except `outside`.

    Raises msgspec.MsgspecError if `content` is no JSON object.
    """
    fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    return content_etag(
        *(part for name, value in fields.items() if name not in outside for part in (name.encode(), bytes(value)))
    )


def result_etag(key: ResultKey, revision: str, requested_at: datetime, *, moves: bool = False) -> str:
    """The tag of a result that was requested at `requested_at` and computed from the events of `revision`.

    `moves`: the result changes with the clock, although its window is closed.
    """
    if is_closed(key, requested_at) and not moves:
        return f'"{_digest(key, revision)}"'
    instant = (requested_at - EPOCH) // timedelta(microseconds=1)
    return f'"{instant}.{_digest(key, revision, instant)}"'


def may_be_valid(etag: str, key: ResultKey, now: datetime) -> bool:
    """Whether the tag is valid unless events arrived: its window is closed or was resolved less than a second ago."""
    match = RESULT_TAG.fullmatch(etag)
    if not match:
        return False
    if match[1] is None:
        return is_closed(key, now)
    return now - RESOLVED_FOR < EPOCH + timedelta(microseconds=int(match[1])) <= now


def is_valid(etag: str, key: ResultKey, revision: str, now: datetime) -> bool:
    """Whether the result under `etag` is still the result at `revision`."""
    match = RESULT_TAG.fullmatch(etag)
    if not match or not may_be_valid(etag, key, now):
        return False
    return match[2] == _digest(key, revision, *([int(match[1])] if match[1] else []))


def is_closed(key: ResultKey, requested_at: datetime) -> bool:
    """Whether the query's window is given by two times that had passed at `requested_at`."""
    params = parse_qsl(key.query, keep_blank_values=True)
    values = dict(params)
    ends = [values.get("to", ""), *([values["at"]] if "at" in values else [])]
    comparisons = {value for name, value in params if name == "compare"}
    if "from" not in values or not comparisons <= FIXED_COMPARISONS:
        return False
    return all(_has_passed(end, values.get("tz", key.zone), requested_at) for end in ends)


def _has_passed(end: str, zone: str, now: datetime) -> bool:
    """Whether a time of a query, in this zone, has passed. False if metrics will refuse it."""
    try:
        time = parse_time(end)
        # Where the clocks skip midnight, this is at or after the day's first instant.
        at = time if isinstance(time, datetime) else datetime(time.year, time.month, time.day, tzinfo=ZoneInfo(zone))
        return at <= now - CLOCK_MARGIN
    except (ValueError, KeyError, OSError, OverflowError):
        return False


def _digest(key: ResultKey, revision: str, *instant: int) -> str:
    content = "\0".join((*astuple(key), revision, *map(str, instant)))
    return blake2b(content.encode(), digest_size=12).hexdigest()
