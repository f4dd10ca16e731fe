"""The generated OpenAPI document of ingest, and real answers of the routes that encode their answers themselves."""

from collections import Counter
from typing import Any

import pytest

from services.ingest.api.batch import BatchResults
from services.ingest.api.taxonomy import TaxonomyView
from tests.service.ingest.client import TOKEN, IngestClient
from tests.unit.ingest.making import nps, response

THEME = {"id": "delivery", "name": "Delivery", "description": "Parcels that arrive late", "examples": []}


@pytest.fixture
def operations(ingest: IngestClient) -> list[dict[str, Any]]:
    """All operations of the document."""
    return [operation for item in ingest.app.openapi()["paths"].values() for operation in item.values()]


def test_every_operation_has_an_id_of_its_own_a_summary_and_its_problems(operations: list[dict[str, Any]]) -> None:
    assert len(operations) > 20
    assert [name for name, uses in Counter(operation["operationId"] for operation in operations).items() if uses > 1] == []
    for operation in operations:
        assert operation["summary"]
        assert {"401", "503"} <= operation["responses"].keys()


def test_every_parameter_and_every_field_of_a_request_is_described(
    ingest: IngestClient, operations: list[dict[str, Any]]
) -> None:
    parameters = [parameter for operation in operations for parameter in operation.get("parameters", ())]
    assert [p["name"] for p in parameters if p["in"] == "query" and "description" not in p] == []
    for name in ("NewConnection", "ConnectionChange", "TrialDelivery", "Judgement", "ReplayRequest", "NewTaxonomy"):
        fields = ingest.app.openapi()["components"]["schemas"][name]["properties"]
        assert [field for field, schema in fields.items() if "description" not in schema] == [], name


def test_the_body_of_feedback_is_a_record_of_any_type(ingest: IngestClient) -> None:
    body = ingest.app.openapi()["paths"]["/v1/feedback"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["discriminator"]["mapping"].keys() == {"response", "review", "ticket", "erasure", "override"}


async def test_the_answer_of_a_batch_is_the_documented_one(ingest: IngestClient) -> None:
    records = [response(nps(9)), response(nps(11), id="r-2"), response(nps(9), colour="blue")]
    answer = (await ingest.call("POST", "/v1/feedback:batch", json=records)).json()
    assert BatchResults.model_validate(answer).model_dump(exclude_unset=True) == answer


async def test_the_internal_taxonomy_is_the_documented_one(ingest: IngestClient) -> None:
    await ingest.call("PUT", "/v1/taxonomy", json={"themes": [THEME]})
    internal = {"authorization": f"Bearer {TOKEN}"}
    answer = (await ingest.http.get(f"/internal/taxonomies/{ingest.tenant}", headers=internal)).json()
    assert TaxonomyView.model_validate(answer).model_dump() == answer == {"revision": 1, "themes": [THEME]}
