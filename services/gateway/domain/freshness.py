"""Entity tags of KPI answers: they name what an answer was made of, so that it is not computed again while that is the same.

An answer follows from the tenant's events (metrics' revision for the tenant and the KPI), the question, and, while its window is
open, the time of the request. Other tenants' events change no tag.

A window is closed if it was given by two instants of which the later had passed: only late events can change such an answer,
and they change the revision. Every other window (`24h`, `this_week`, one whose end lies ahead) moves with the clock: its ends
are resolved at each request, and stay valid for a second. Its tag carries the instant at which it was resolved. Within that
second, and with no event of the tenant applied since, the answer for that very window is still right, and so is a 304.

The watermark in an answer is not covered: see `services.gateway.api.kpis`.
"""

import re
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qsl

RESOLVED_FOR = timedelta(seconds=1)
MARGIN = timedelta(seconds=5)
"""By how much an end must have passed to count as passed, since metrics reads its own clock."""

TAG = re.compile(r'"(?:(\d{1,17})\.)?([0-9a-f]{24})"')
FIXED_COMPARISONS = {"previous", "previous_year"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """All that an answer depends on but the events and the clock. `zone` is the tenant's, in which days are cut by default."""

    tenant: str
    zone: str
    path: str
    query: str
    media_type: str


def tag(question: Question, revision: str, asked: datetime) -> str:
    """The entity tag of an answer asked for at `asked`, made of the events of `revision`."""
    if closed(question.query, asked):
        return f'"{_digest(question, revision)}"'
    instant = (asked - EPOCH) // timedelta(microseconds=1)
    return f'"{instant}.{_digest(question, revision, instant)}"'


def may_stand(given: str, question: Question, now: datetime) -> bool:
    """Whether `given` stands unless events came: its window is closed, or was resolved just now."""
    found = TAG.fullmatch(given)
    if not found:
        return False
    if found[1] is None:
        return closed(question.query, now)
    return now - RESOLVED_FOR < EPOCH + timedelta(microseconds=int(found[1])) <= now


def stands(given: str, question: Question, revision: str, now: datetime) -> bool:
    """Whether an answer under `given` would be answered again, if its window is let stand."""
    found = TAG.fullmatch(given)
    if not found or not may_stand(given, question, now):
        return False
    return found[2] == _digest(question, revision, *([int(found[1])] if found[1] else []))


def closed(query: str, asked: datetime) -> bool:
    """Whether the question's window is given by instants that had all passed when it was asked."""
    params = parse_qsl(query, keep_blank_values=True)
    given = dict(params)
    ends = [given.get("to"), *([given["at"]] if "at" in given else [])]
    comparing = {value for name, value in params if name == "compare"}
    if "from" not in given or not comparing <= FIXED_COMPARISONS:
        return False
    return all(_passed(end, asked) for end in ends)


def _passed(end: str | None, asked: datetime) -> bool:
    try:
        at = datetime.fromisoformat(end or "")
        return at.tzinfo is not None and at + MARGIN <= asked
    except (ValueError, OverflowError):
        return False


def _digest(question: Question, revision: str, *instant: int) -> str:
    content = "\0".join((*astuple(question), revision, *map(str, instant)))
    return blake2b(content.encode(), digest_size=12).hexdigest()
