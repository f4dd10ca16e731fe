"""The OpenAPI document: valid, complete, and imported operations with the additions of the gateway."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from deploy.contracts import app_of
from services.gateway.api.openapi import Components, contract_of, operation_at
from services.gateway.api.proxy import PROXIED_ROUTES
from services.gateway.api.schema_references import references
from shared.openapi import REF, operations

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    return app_of("gateway").openapi()


def schema_at(document: Json, content: Json, media_type: str = "application/json") -> Json:
    """The schema of a body, with a reference at its top resolved."""
    schema: Json = content["content"][media_type]["schema"]
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(REF)]
    return schema


def parameter_names(operation: Json) -> list[str]:
    return [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]


def test_the_document_is_valid_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_operation_ids_are_unique_and_every_operation_has_a_summary(document: Json) -> None:
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert all(operation.get("summary") for operation in operations(document))


def test_every_tag_is_described_in_the_order_of_the_reference(document: Json) -> None:
    """A new tag needs a row in TAGS of services/gateway/api/openapi.py."""
    assert {tag for operation in operations(document) for tag in operation["tags"]} == {tag["name"] for tag in document["tags"]}
    assert all(tag["description"].endswith(".") for tag in document["tags"])


def test_limits_and_retries_are_described_by_headers(document: Json) -> None:
    for operation in operations(document):
        assert "RateLimit" in operation["responses"]["429"]["headers"]
        assert all("Retry-After" in operation["responses"][status]["headers"] for status in ("429", "503"))


def test_no_schema_has_a_keyword_that_json_schema_lacks(document: Json) -> None:
    stars = document["components"]["schemas"]["Review"]["properties"]["stars"]
    assert {"minimum": 1, "maximum": 5}.items() <= stars["anyOf"][0].items()


def test_no_instruction_to_import_and_no_internal_header_is_left(document: Json) -> None:
    assert "x-import" not in str(document)
    assert "x-earshot-tenant" not in str(document).lower().replace("x-earshot-watermark", "")


def test_every_operation_needs_a_key_and_names_its_scope_and_the_refusals(document: Json) -> None:
    for operation in operations(document):
        [requirement] = operation["security"]
        assert list(requirement) == ["key"]
        assert all(f"`{scope}`" in operation["description"] for scope in requirement["key"])
        assert {"401", "403", "429", "503"} <= set(operation["responses"])
        assert all(
            "application/problem+json" in response["content"]
            for status, response in operation["responses"].items()
            if status >= "400"
        )


def test_a_kpi_has_the_parameters_of_metrics_the_formats_and_the_entity_tags_of_the_gateway(document: Json) -> None:
    for path, rows in (("/v1/kpis/{kpi}", "rows"), ("/v1/kpis/{kpi}/records", "records")):
        operation = document["paths"][path]["get"]
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"kpi", "window", "from", "to", "grain", "tz", "group_by", "filter", "compare", "per", "at"} <= names
        assert "If-None-Match" in names
        result = operation["responses"]["200"]
        assert set(result["content"]) == {"application/json", "text/csv", "application/x-ndjson"}
        assert set(result["headers"]) == {"ETag", "X-Earshot-Watermark", "RateLimit", "RateLimit-Policy"}
        lines = schema_at(document, result, "application/x-ndjson")
        assert lines
        assert result["content"]["application/x-ndjson"]["schema"] == schema_at(document, result)["properties"][rows]["items"]
        assert "304" in operation["responses"]


def test_the_live_stream_has_the_parameters_of_a_kpi_and_of_the_upcoming_deadlines(document: Json) -> None:
    names = {parameter["name"] for parameter in document["paths"]["/v1/live"]["get"]["parameters"]}
    assert {"kpis", "last-event-id", "window", "filter", "group_by", "sla", "within", "state", "metric"} <= names
    assert "kpi" not in names


@pytest.mark.parametrize("path", ["/v1/feedback", "/v1/feedback:batch", "/v1/overrides"])
def test_operations_that_store_records_take_an_idempotency_key(document: Json, path: str) -> None:
    names = [parameter["name"].lower() for parameter in document["paths"][path]["post"]["parameters"]]
    assert names.count("idempotency-key") == 1


def test_an_override_and_a_taxonomy_are_described(document: Json) -> None:
    override = schema_at(document, document["paths"]["/v1/overrides"]["post"]["requestBody"])
    assert override["required"] == ["subject", "comment", "label"]
    taxonomy = document["paths"]["/v1/taxonomy"]
    assert [parameter_names(taxonomy[method]) for method in ("get", "put", "delete")] == [["revision"], [], ["revision"]]
    body = schema_at(document, taxonomy["put"]["requestBody"])
    assert (set(body["properties"]), body["required"]) == ({"themes", "revision"}, ["themes"])


def test_gold_is_described_as_pages_and_as_lines(document: Json) -> None:
    result = document["paths"]["/v1/gold"]["get"]["responses"]["200"]
    assert set(result["content"]) == {"application/json", "application/x-ndjson"}
    assert "model_label" in schema_at(document, result, "application/x-ndjson")["properties"]


def test_the_report_on_a_model_has_a_window(document: Json) -> None:
    report = document["paths"]["/v1/models/{model}/shadow"]["get"]
    assert set(parameter_names(report)) == {"window", "from", "to", "tz"}


def test_every_proxied_route_is_in_the_document(document: Json) -> None:
    for route in PROXIED_ROUTES:
        assert operation_at(document, route.method.lower(), route.path)


def test_every_reference_leads_to_a_schema(document: Json) -> None:
    assert set(references(document)) <= set(document["components"]["schemas"])


def test_a_missing_contract_says_what_to_run() -> None:
    with pytest.raises(LookupError, match="make docs"):
        operation_at(contract_of("ingest"), "get", "/v1/nowhere")


def test_a_schema_of_the_same_name_is_shared_if_it_is_equal_and_renamed_if_not() -> None:
    reference = {"$ref": "#/components/schemas/Page"}
    page, item = {"properties": {"items": {"$ref": "#/components/schemas/Item"}}}, {"type": "string"}
    components = Components({"Page": page, "Item": item})
    assert components.copy(reference, "ingest", {"components": {"schemas": {"Page": page, "Item": item}}}) == reference
    assert set(components.schemas) == {"Page", "Item"}
    other = {"Page": page, "Item": {"type": "integer"}}
    assert components.copy(reference, "metrics", {"components": {"schemas": other}}) == {
        "$ref": "#/components/schemas/MetricsPage"
    }
    item_reference = {"$ref": "#/components/schemas/MetricsItem"}
    assert components.schemas["MetricsPage"] == {"title": "MetricsPage", "properties": {"items": item_reference}}
    assert components.schemas["MetricsItem"] == {"title": "MetricsItem", "type": "integer"}
