"""Records as structs and as pydantic models: both accept and refuse the same values."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.ingest.domain import record_models
from services.ingest.domain.record import Invalid, Record, read_record
from tests.unit.ingest.making import NOW, response

MODELS: TypeAdapter[Any] = TypeAdapter(record_models.Record)

TIMES = (
    "2026-11-20T10:00:00Z",
    "2026-11-20T10:00:00+01:00",
    "2026-11-20t10:00:00z",
    "2026-11-20T10:00Z",
    "2026-11-20T10:00:00.1234567Z",
    "2026-11-18T10:00:00.999999-23:59",
    "2026-11-18T10:00:00-24:00",
    "2026-11-20T10:00:00+05:60",
    "2026-02-30T10:00:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T23:59:60Z",
    "2026-11-20 10:00:00Z",
    "2026-11-20T10:00:00+0100",
    "2026-11-20T10:00:00",
    "1989-12-31T23:59:59Z",
    "1990-01-01T00:00:00+14:00",
    "2200-12-31T23:59:59-14:00",
    "2201-01-01T00:00:00Z",
    "",
    1_790_000_000,
    None,
)
TEXTS = (
    "x",
    "",
    "Zürich",
    "Zu\u0308rich",
    "\u0958",
    "a\nb",
    "a\x7fb",
    "a\x00b",
    "a\u00a0b",
    "\u2028",
    "\ud800",
    "x" * 200,
    "x" * 201,
    7,
    None,
)
NUMBERS = (0, 1, 3, 10, 11, 9.0, 9.5, -1000, -1001, True, "9", 2**70, None)
LANGUAGES = ("en", "pt-BR", "e", "en\n", "deutsch", "x-", "éé", None)
EMAILS = ("a@b.de", "a@", "@b", "a b@c", "a@b@c", "ä@b.de", "a@b\n", "a@\ud800", "x" * 320 + "@b", None)
SCALES = ([1, 5], [1, 10], (0, 10), [0, 10], [5, 1], [0, 101], [1], [1, 2, 3], [1.0, 5.0], ["1", 5], "15", None)


def any_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def an_object(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with some of these fields, and rarely one more."""
    more = {"colour": any_of(1), "extra": any_of("x")}
    return (
        st.fixed_dictionaries({}, optional=fields) | st.fixed_dictionaries(fields, optional=more) | st.fixed_dictionaries(fields)
    )


texts, times, numbers, languages, flags = (
    any_of(*values) for values in (TEXTS, TIMES, NUMBERS, LANGUAGES, (True, False, 0, "true", None))
)
plain_times = any_of(TIMES[0], TIMES[1])
rated = {"value": numbers, "scale": any_of(*SCALES), "raw": texts}
ANSWERS = st.one_of(
    an_object(kind=any_of("nps"), question=texts, value=numbers),
    an_object(kind=any_of("nps", "ces", "csat", "stars", None, 1), question=texts, **rated),
    an_object(
        kind=any_of("csat"),
        question=any_of("a", "b"),
        value=any_of(1, 3, None),
        scale=any_of([1, 5], [1, 10]),
        positive_from=numbers,
    ),
    an_object(
        kind=any_of("ces"), question=texts, value=any_of(1, 7), polarity=any_of("easy_is_high", "easy_is_low", "easy", None)
    ),
    an_object(kind=any_of("comment"), question=texts, text=texts, language=languages),
    an_object(kind=any_of("comment"), question=any_of("a", "b"), value=any_of(None, 1)),
)
FACTS = st.one_of(
    an_object(
        fact=any_of("opened"), at=times, by=any_of("customer", "agent", "bot", "boss"), public=flags, agent=texts, text=texts
    ),
    an_object(fact=any_of("message"), at=plain_times, by=any_of("customer", "agent"), auto=flags, id=texts, language=languages),
    an_object(fact=any_of("status"), at=plain_times, status=any_of("open", "on_hold", "Open", None)),
    an_object(fact=any_of("assigned"), at=plain_times, team=texts, agent=texts),
    an_object(fact=any_of("priority"), at=plain_times, priority=texts),
    an_object(
        fact=any_of("rating"), at=plain_times, kind=any_of("csat", "nps"), positive_from=numbers, id=texts, text=texts, **rated
    ),
    an_object(fact=any_of("merged", "spam", "deleted"), at=plain_times, value=flags, into=texts),
)
CUSTOMERS = an_object(id=texts, email=any_of(*EMAILS), aliases=st.lists(an_object(id=texts, email=any_of(*EMAILS)), max_size=2))
DIMENSIONS = st.dictionaries(any_of("team", "region", "plan", "Plan", "theme", "channel", "é", "source"), texts, max_size=3)
COMMON = {
    "id": any_of("r-1") | texts,
    "at": plain_times | times,
    "updated_at": any_of(None) | times,
    "channel": any_of(None) | texts,
    "customer": any_of(None) | CUSTOMERS,
    "dimensions": any_of({}) | DIMENSIONS,
}
RECORDS = st.one_of(
    an_object(type=any_of("response"), answers=st.lists(ANSWERS, max_size=3), id=any_of("r-1"), at=plain_times),
    an_object(type=any_of("response"), sent_at=times, survey=an_object(id=texts, name=texts), **COMMON),
    an_object(
        type=any_of("review"), stars=numbers, title=texts, text=texts, language=languages, product=texts, deleted=flags, **COMMON
    ),
    an_object(type=any_of("ticket"), facts=st.lists(FACTS, max_size=2), id=any_of("t-1"), at=plain_times),
    an_object(type=any_of("erasure"), linked=flags, id=texts, at=times, customer=CUSTOMERS),
    an_object(
        type=any_of("override"),
        id=any_of("o-1"),
        at=plain_times,
        subject=any_of("con_1/ticket/1", "con_1/erasure/1", "x", "con_1/ticket/\n", None),
        comment=any_of("0" * 32, "0" * 31),
        label=any_of("positive", "good", None),
        themes=st.lists(texts, max_size=2),
    ),
    any_of(None, [], "x", {"type": "other"}),
)


def as_json(record: Record) -> bytes:
    """The record as JSON, in which equal instants with different offsets differ."""
    return msgspec.json.encode(record)


def record_or_refusal(value: Any) -> bytes | None:
    """The record as JSON; None if it is refused."""
    try:
        return as_json(read_record(value, NOW))
    except Invalid:
        return None


def record_of_models(value: Any) -> bytes | None:
    """The record, as JSON, that the pydantic models accept; None if they refuse it."""
    try:
        model = MODELS.validate_python(value)
    except ValidationError:
        return None
    record: Record = msgspec.convert(model.model_dump(exclude_unset=True), Record)
    return as_json(record)


@given(RECORDS)
def test_structs_and_models_accept_the_same_records(value: Any) -> None:
    record, expected = record_or_refusal(value), record_of_models(value)
    late = expected is not None and record is None
    assert record == expected or late
    if late:
        with pytest.raises(Invalid, match="ahead of our clock"):
            read_record(value, NOW)


@pytest.mark.parametrize("time", TIMES)
def test_both_read_the_same_times(time: Any) -> None:
    value = {"type": "erasure", "id": "e", "at": time, "customer": {"id": "c"}}
    assert record_or_refusal(value) == (None if str(time).startswith("2200") else record_of_models(value))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("field", ["id", "channel", "title", "product", "language"])
def test_both_read_the_same_texts(field: str, text: Any) -> None:
    value = {"type": "review", "id": "v", "at": "2026-11-20T10:00:00Z", field: text}
    assert record_or_refusal(value) == record_of_models(value)


@pytest.mark.parametrize(
    ("value", "positive_from", "accepted"),
    [(1, 2, True), (5, 5, True), (0, 2, False), (6, 5, False), (3, 1, False), (3, 6, False)],
)
def test_both_accept_a_csat_rating_and_a_threshold_up_to_the_ends_of_the_scale(
    value: int, positive_from: int, accepted: bool
) -> None:
    record = response({"question": "q", "kind": "csat", "value": value, "scale": [1, 5], "positive_from": positive_from})
    assert (record_or_refusal(record) is not None, record_of_models(record) is not None) == (accepted, accepted)
