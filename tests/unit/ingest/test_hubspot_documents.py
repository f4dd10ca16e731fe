"""HubSpot's fetched documents: tickets with their history, feedback submissions, and what is stored of them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.mapping_use import UnmappedQuestion
from services.ingest.domain.providers import PROVIDERS, Parsed, read_settings
from services.ingest.domain.record import Response, Ticket, read_record
from tests.unit.ingest.hubspot_documents import (
    OWNER,
    PIPELINES,
    SUBMISSION_EVENT,
    TICKET_EVENT,
    event,
    submission_documents,
    ticket,
    ticket_documents,
)
from tests.unit.ingest.making import NOW, request, to_values

API = PROVIDERS["hubspot"].api
OPENED = datetime(2026, 11, 20, 8, 0, 0, 123_000, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.integers(-1, 5) | st.sampled_from(["", "x", "4", "NPS", "2026-11-20T10:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "properties", "propertiesWithHistory", "hs_pipeline_stage", "results", "stages", "teams"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def read(base: dict[str, Any], documents: dict[str, Any], mapping: dict[str, Any] | None = None) -> Parsed:
    assert API
    return API.parse(request(event(base)), API.condense(documents), read_settings("hubspot", mapping or {}))


def ticket_of(documents: dict[str, Any], mapping: dict[str, Any] | None = None) -> Ticket:
    parsed = read(TICKET_EVENT, documents, mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    record = read_record(value, NOW)
    assert isinstance(record, Ticket)
    return record


def response_of(mapping: dict[str, Any] | None = None, **properties: Any) -> Response:
    parsed = read(SUBMISSION_EVENT, submission_documents(**properties), mapping)
    assert parsed.problem is None, parsed.problem
    [value] = parsed.records
    record = read_record(value, NOW)
    assert isinstance(record, Response)
    return record


def answers_of(mapping: dict[str, Any] | None = None, **properties: Any) -> list[dict[str, Any]]:
    return [to_values(answer) for answer in response_of(mapping, **properties).answers]


def facts(documents: dict[str, Any], kind: str, mapping: dict[str, Any] | None = None) -> list[Any]:
    return [fact for fact in ticket_of(documents, mapping).facts if fact.fact == kind]


def test_a_ticket_has_its_customer_its_channel_and_the_properties_that_the_mapping_names() -> None:
    record = ticket_of(ticket_documents(), {"dimensions": {"plan": "segment", "region": "region"}})
    assert (record.id, record.at, record.channel) == ("9988776655", OPENED, "email")
    assert record.updated_at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert record.customer
    assert (record.customer.id, record.customer.email) == ("hubspot:551", "jo@example.org")
    assert record.dimensions == {"segment": "pro"}
    [opened] = facts(ticket_documents(), "opened")
    assert (opened.by, opened.text, opened.at) == ("customer", "My invoice is wrong.", OPENED)
    [opened] = facts(ticket_documents(hs_object_source="CRM_UI"), "opened")
    assert opened.by == "agent"


def test_each_stage_of_the_history_is_a_status_by_its_pipeline_or_by_the_mapping() -> None:
    statuses = [(fact.status, fact.at) for fact in facts(ticket_documents(), "status")]
    assert statuses == [
        ("open", OPENED),
        ("open", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("closed", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ]
    mapping = {"stages": {"1": "new", "2": "pending", "4": "solved"}}
    assert [fact.status for fact in facts(ticket_documents(), "status", mapping)] == ["new", "pending", "solved"]


def test_a_former_stage_that_was_deleted_is_left_out_and_an_unknown_present_one_is_a_problem() -> None:
    documents = ticket_documents()
    documents["object"]["propertiesWithHistory"]["hs_pipeline_stage"][1]["value"] = "999"
    assert [fact.status for fact in facts(documents, "status")] == ["open", "closed"]
    documents["object"]["propertiesWithHistory"]["hs_pipeline_stage"][0]["value"] = "998"
    documents["object"]["properties"]["hs_pipeline_stage"] = "998"
    parsed = read(TICKET_EVENT, documents)
    assert parsed.problem == "hs_pipeline_stage: no pipeline says whether it is closed; name it in `stages` of the mapping"
    assert (parsed.problem_code, parsed.about) == ("mapping_mismatch", ("ticket/9988776655",))
    newer = {"results": [{"stages": [{"id": "998", "metadata": {"ticketState": "CLOSED"}}]}]}
    assert [fact.status for fact in facts(documents | {"new_pipelines": newer}, "status")] == ["closed"]


def test_without_a_history_the_current_stage_counts_from_the_last_change() -> None:
    documents = ticket_documents()
    del documents["object"]["propertiesWithHistory"]
    assert [(fact.status, fact.at.hour) for fact in facts(documents, "status")] == [("closed", 10)]


def test_owners_teams_and_priorities_have_their_times() -> None:
    documents = ticket_documents()
    assigned = [to_values(fact) for fact in facts(documents, "assigned")]
    half_past = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert assigned == [
        {"fact": "assigned", "at": half_past, "agent": "77"},
        {"fact": "assigned", "at": half_past - timedelta(minutes=20), "team": None},
        {"fact": "assigned", "at": half_past, "team": "5"},
    ]
    assert [fact.priority for fact in facts(documents, "priority")] == ["high"]
    assert set(read(TICKET_EVENT, documents).names) == {("agent", "77", "Ada Byron"), ("team", "5", "Billing")}
    assert read(TICKET_EVENT, documents | {"owner": None, "contact": None}).names == ()


def test_an_nps_submission_needs_no_mapping() -> None:
    record = response_of()
    assert (record.id, record.channel, record.at) == ("553311", "email", datetime(2026, 11, 20, 9, 58, tzinfo=UTC))
    assert record.survey
    assert (record.survey.id, record.survey.name) == ("5", "After support")
    assert record.customer
    assert (record.customer.id, record.customer.email) == ("hubspot:551", "jo@example.org")
    assert answers_of() == [
        {"question": "5", "kind": "nps", "value": 9},
        {"question": "5", "kind": "comment", "text": "Quick and kind."},
    ]


def test_a_time_may_be_in_milliseconds() -> None:
    assert response_of(hs_submission_timestamp="1795168680000").at == datetime.fromtimestamp(1_795_168_680, UTC)
    assert response_of(hs_submission_timestamp=None).at == datetime(2026, 11, 20, 9, 59, 59, tzinfo=UTC)


def test_a_csat_survey_counts_by_its_group_until_the_mapping_states_its_scale() -> None:
    csat: dict[str, Any] = {"hs_survey_type": "CSAT", "hs_value": "2", "hs_content": None}
    assert answers_of(**csat) == [{"question": "5", "kind": "csat", "scale": (1, 3), "value": 3, "raw": "PROMOTER"}]
    mapping = {"questions": {"5": {"kind": "csat", "scale": [1, 2]}}}
    assert answers_of(mapping, **csat) == [{"question": "5", "kind": "csat", "scale": (1, 2), "value": 2}]
    assert answers_of(**csat | {"hs_response_group": None}) == []


def test_effort_and_other_ratings_need_the_mapping_and_are_reported_without_it() -> None:
    effort: dict[str, Any] = {"hs_survey_type": "CES", "hs_value": "6"}
    use = read(SUBMISSION_EVENT, submission_documents(**effort)).use
    assert use.unmapped == (UnmappedQuestion("5", None, "After support"),)
    assert [answer["kind"] for answer in answers_of(**effort)] == ["comment"]
    mapping = {"questions": {"5": {"kind": "ces"}}}
    assert answers_of(mapping, **effort)[0] == {"question": "5", "kind": "ces", "value": 6}
    used = read(SUBMISSION_EVENT, submission_documents(**effort), mapping).use
    assert (used.unmapped, used.questions) == ((), {"5"})
    assert answers_of({"questions": {"5": {"kind": "ignore"}}}, **effort) == []
    assert [answer["kind"] for answer in answers_of({"questions": {"5": {"kind": "comment"}}}, **effort)] == ["comment"]


def test_a_value_that_is_no_number_and_a_submission_without_a_survey_are_problems() -> None:
    odd = read(SUBMISSION_EVENT, submission_documents(hs_value="great"))
    assert (odd.problem, odd.about) == ("survey 5 is a rating, but hs_value is no number", ("response/553311",))
    assert odd.problem_code == "mapping_mismatch"
    assert read(SUBMISSION_EVENT, submission_documents(hs_survey_id=None)).problem == "the submission has no hs_survey_id"


def test_a_property_of_the_contact_may_be_the_tenants_own_id() -> None:
    mapping = {"customer": "shop_id"}
    contact = {"id": "551", "properties": {"email": "jo@example.org", "hs_object_id": "551", "shop_id": "c-77"}}
    assert API
    condensed = API.condense(ticket_documents() | {"contact": contact})
    customer = ticket_of(dict(condensed), mapping).customer
    assert customer
    assert (customer.id, [alias.id for alias in customer.aliases]) == ("c-77", ["hubspot:551"])
    calls = API.fetches(
        request(event(TICKET_EVENT)), {"object": ticket(), "pipelines": PIPELINES}, read_settings("hubspot", mapping)
    )
    assert [call.query["properties"] for call in calls if call.name == "contact"] == ["email,shop_id"]


def test_only_fields_that_are_read_are_stored() -> None:
    assert API
    stored = json.dumps(API.condense(ticket_documents()))
    for left_out in (OWNER["email"], "Waiting on contact", "sourceType"):
        assert str(left_out) not in stored
    assert json.loads(stored)["pipelines"]["results"][0]["stages"] == [
        {"id": one["id"], "metadata": one["metadata"]} for one in PIPELINES["results"][0]["stages"]
    ]


@given(st.fixed_dictionaries({"object": VALUES, "pipelines": VALUES, "contact": VALUES, "owner": VALUES}), VALUES)
def test_no_document_makes_reading_raise(fetched: dict[str, Any], part: Any) -> None:
    whole = ticket_documents()
    changed = [
        whole | {"object": whole["object"] | {name: part}} for name in ("properties", "propertiesWithHistory", "associations")
    ]
    for documents in (fetched, *changed, whole | {"pipelines": part, "owner": part}):
        for base in (TICKET_EVENT, SUBMISSION_EVENT):
            assert isinstance(read(base, documents), Parsed)
