"""The middleware of every service and the clients of other services: request ids reach responses, logs and calls."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from shared import problems
from shared.instruments import HTTP, registry_of
from shared.request_context import RequestContext, add_to_log, bound, current_context
from shared.request_telemetry import RequestTelemetry
from shared.service_client import ServiceClient, ThreadedServiceClient

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(RequestTelemetry)
    problems.install(app)

    @app.get("/context")
    async def context() -> dict[str, str]:
        return dict(add_to_log(None, "info", {}))

    @app.get("/things/{id}")
    async def thing(id: str) -> None:
        pass

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(0.06)

    @app.get("/refused")
    async def refused() -> None:
        raise problems.NotFound("the thing does not exist")

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


@pytest.mark.parametrize(("path", "status"), [("/context", 200), ("/refused", 404), ("/nowhere", 404), ("/broken", 503)])
async def test_every_response_has_the_callers_request_id(http: httpx.AsyncClient, path: str, status: int) -> None:
    response = await http.get(path, headers={"x-request-id": "order-4711"})
    assert (response.status_code, response.headers.get_list("x-request-id")) == (status, ["order-4711"])


async def test_an_invalid_request_id_is_replaced_and_refuses_nothing(http: httpx.AsyncClient) -> None:
    response = await http.get("/context", headers={"x-request-id": "two words"})
    assert response.status_code == 200
    assert response.headers["x-request-id"] == response.json()["request_id"] != "two words"


async def test_log_lines_of_a_request_have_its_ids(http: httpx.AsyncClient) -> None:
    response = await http.get("/context", headers={"x-request-id": "order-4711", "traceparent": TRACE})
    assert response.json() == {"request_id": "order-4711", "trace_id": TRACE[3:35]}
    assert current_context() is None


async def test_the_log_line_of_an_unexpected_error_has_the_request_id(http: httpx.AsyncClient) -> None:
    with capture_logs([add_to_log]) as lines:
        await http.get("/broken", headers={"x-request-id": "order-4711"})
    assert [(line["event"], line["request_id"]) for line in lines] == [("request.failed", "order-4711")]


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/things/7", {"method": "GET", "route": "/things/{id}", "status": "2xx"}),
        ("GET", "/refused", {"method": "GET", "route": "/refused", "status": "4xx"}),
        ("POST", "/refused", {"method": "POST", "route": "/refused", "status": "4xx"}),
        ("GET", "/broken", {"method": "GET", "route": "/broken", "status": "5xx"}),
        ("GET", "/nowhere/7", {"method": "GET", "route": "other", "status": "4xx"}),
        ("BREW", "/things/7", {"method": "other", "route": "/things/{id}", "status": "4xx"}),
    ],
)
async def test_requests_are_counted_by_the_template_of_their_route(
    http: httpx.AsyncClient, method: str, path: str, labels: dict[str, str]
) -> None:
    registry = registry_of(HTTP)

    def count() -> float:
        return registry.get_sample_value("earshot_http_request_seconds_count", labels) or 0.0

    before = count()
    for _ in range(2):
        await http.request(method, path)
    assert count() == before + 2


async def test_the_time_until_the_response_begins_is_observed(http: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "route": "/slow", "status": "2xx"}
    await http.get("/slow")
    registry = registry_of(HTTP)
    assert (registry.get_sample_value("earshot_http_request_seconds_sum", labels) or 0.0) >= 0.05
    assert registry.get_sample_value("earshot_http_request_seconds_bucket", labels | {"le": "0.05"}) == 0


def respond_with_headers(request: httpx.Request) -> httpx.Response:
    names = ("x-request-id", "traceparent")
    return httpx.Response(200, json={name: request.headers[name] for name in names if name in request.headers})


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (RequestContext("order-4711", TRACE), {"x-request-id": "order-4711", "traceparent": TRACE}),
        (RequestContext("order-4711"), {"x-request-id": "order-4711"}),
        (None, {}),
    ],
)
async def test_a_call_to_another_service_has_the_ids_of_the_request(
    context: RequestContext | None, expected: dict[str, str]
) -> None:
    transport = httpx.MockTransport(respond_with_headers)
    with ThreadedServiceClient(transport=transport) as threaded:
        async with ServiceClient(transport=transport) as client:
            with bound(context):
                responses = await client.get("http://other/"), await asyncio.to_thread(threaded.get, "http://other/")
    assert [response.json() for response in responses] == [expected, expected]
