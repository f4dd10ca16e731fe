"""A receipt names every store, and the times by which Kafka has deleted the segments."""

from datetime import timedelta

import pytest

from services.ingest.domain.receipt import MOST_COUNTED, Erased, Store, stores_of
from shared.topics import DLQ_FORGOTTEN_AFTER, EVENTS, SCORES
from tests.unit.ingest.making import NOW


def erased(**changed: object) -> Erased:
    fields: dict[str, object] = {
        "at": NOW, "subjects": 2, "statements": 7, "bodies": 5, "bodies_to_search": 30_000, "pending": False, "complete": True,
    }  # fmt: skip
    return Erased(**(fields | changed))  # type: ignore[arg-type]


def stores(**changed: object) -> dict[str, Store]:
    return {store.name: store for store in stores_of(erased(**changed))}


def test_the_deleted_rows_have_the_time_of_the_erasure() -> None:
    of = stores()
    assert (of["ingest.events"].rows, of["ingest.events"].gone_by) == (7, NOW)
    assert (of["ingest.bodies"].rows, of["ingest.bodies"].gone_by) == (5, NOW)


def test_topics_have_forgotten_it_when_the_last_segment_is_deleted() -> None:
    hours = timedelta(hours=1)
    assert EVENTS.forgotten_after == 25 * hours + timedelta(minutes=10)
    of = stores()
    assert of[EVENTS.name].gone_by == NOW + timedelta(minutes=1) + EVENTS.forgotten_after
    assert of[SCORES.name].gone_by == NOW + timedelta(minutes=1) + EVENTS.forgotten_after + SCORES.forgotten_after
    for topic in (EVENTS, SCORES):
        end = of[topic.name].gone_by
        assert end
        assert of[topic.dlq].gone_by == end + DLQ_FORGOTTEN_AFTER
    assert timedelta(days=15) < DLQ_FORGOTTEN_AFTER < timedelta(days=16)


@pytest.mark.parametrize(("bodies", "seconds"), [(0, 60), (30_000, 180), (MOST_COUNTED, 4060)])
def test_the_search_of_other_bodies_is_estimated_by_their_number(bodies: int, seconds: int) -> None:
    of = stores(bodies_to_search=bodies)
    assert of["ingest.other_bodies"].gone_by == of["ingest.erasures"].gone_by == NOW + timedelta(seconds=seconds)


def test_a_search_of_more_bodies_has_no_estimate_and_pending_deliveries_keep_the_list_for_a_week() -> None:
    assert stores(bodies_to_search=None)["ingest.other_bodies"].gone_by is None
    assert stores(bodies_to_search=None, pending=True)["ingest.erasures"].gone_by is None
    assert stores(bodies_to_search=0, pending=True)["ingest.erasures"].gone_by == NOW + timedelta(days=7, minutes=1)


def test_statements_that_remain_delay_every_store() -> None:
    begun, delayed = stores(), stores(remaining=5_000)
    for name in ("ingest.events", "ingest.bodies", "ingest.other_bodies", "metrics", EVENTS.name, SCORES.dlq):
        first, later = begun[name].gone_by, delayed[name].gone_by
        assert first
        assert later == first + timedelta(seconds=10)
    assert {store.gone_by for store in stores(remaining=None).values()} == {None}


def test_nothing_is_promised_about_backups() -> None:
    assert stores()["backups"] == Store("backups", None, None)
