"""Typed routes: undeclared parameters, bounded bodies, the order of the checks, and the document."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict

from shared import openapi, problems
from shared.bodies import Bodies, BodyMemory
from shared.problems import Conflict, NotAuthenticated, responses
from shared.routes import JsonBody, TypedRoute, WholeNumber, add_routes

MAX_BYTES = 100


def authenticated(request: Request) -> str:
    if "authorization" not in request.headers:
        raise NotAuthenticated
    return "acme"


class Colour(BaseModel):
    hex: str


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    colours: list[Colour] = []


class Listing(BaseModel):
    limit: int
    tags: list[str]


class Missing(Conflict):
    title = "Parts missing"


Caller = Annotated[str, Depends(authenticated)]
routes = APIRouter(route_class=TypedRoute, prefix="/v1")


@routes.get("/things", responses=responses(NotAuthenticated))
async def list_things(caller: Caller, limit: WholeNumber = 5, tag: Annotated[list[str] | None, Query()] = None) -> Listing:
    return Listing(limit=limit, tags=tag or [])


@routes.post("/things", responses=responses(Missing))
async def create_thing(caller: Caller, thing: Annotated[Thing, JsonBody(Thing, max_bytes=MAX_BYTES, max_values=4)]) -> Thing:
    return thing


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(title="things", version="1")
    app.state.bodies = Bodies(BodyMemory(10**6, 10**6))
    problems.install(app)
    openapi.install(app)
    add_routes(app, routes)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers={"authorization": "k"}) as client:
        yield client


def test_an_app_serves_the_routes_themselves_so_none_is_built_again(app: FastAPI) -> None:
    assert routes.routes
    assert all(route in app.routes for route in routes.routes)


async def test_declared_parameters_are_accepted_and_lists_may_be_repeated(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things?limit=7&tag=a&tag=b")
    assert answer.json() == {"limit": 7, "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("query", "name", "reason"),
    [
        ("limits=7", "limits", 'unknown parameter; did you mean "limit"? Allowed: limit, tag'),
        ("limit=7&limit=8", "limit", "given more than once"),
        ("tag=%00", "tag", "holds NUL"),
        ("limit=%2B7", "limit", "must be a whole number"),
        ("limit=7.0", "limit", "must be a whole number"),
    ],
)
async def test_a_query_that_the_route_does_not_declare_is_400(
    client: httpx.AsyncClient, query: str, name: str, reason: str
) -> None:
    answer = await client.get(f"/v1/things?{query}")
    assert answer.status_code == 400
    assert answer.json()["invalid_params"] == [{"name": name, "reason": reason}]


async def test_authentication_comes_before_the_query_and_before_the_body(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    assert (await client.get("/v1/things?nonsense=1")).status_code == 401
    assert (await client.post("/v1/things", content=b"x" * 10_000)).status_code == 401


async def test_the_query_is_checked_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/things?nonsense=1", content=b"not JSON")
    assert answer.json()["invalid_params"] == [{"name": "nonsense", "reason": "unknown parameter"}]


async def test_a_body_is_validated(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/things", json={"name": "a"})
    assert answer.json() == {"name": "a", "colours": []}


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"{", 400, "not JSON"),
        (b"", 400, "not JSON"),
        (b'{"name":"a","name":"b"}', 400, "twice"),
        (b'{"colours":[1,2,3,4]}', 400, "more than 4 values"),
        (b'{"name":7}', 422, "name"),
        (b'{"name":"a","size":1}', 422, "size"),
        (b" " * (MAX_BYTES + 1), 413, f"more than {MAX_BYTES} bytes"),
    ],
)
async def test_a_wrong_body_is_a_problem_that_says_what_is_wrong(
    client: httpx.AsyncClient, body: bytes, status: int, text: str
) -> None:
    answer = await client.post("/v1/things", content=body)
    assert answer.status_code == status
    assert text in answer.text


async def test_a_form_is_415(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/things", data={"name": "a"})).status_code == 415


def test_the_document_has_the_body_its_definitions_and_the_problems(app: FastAPI) -> None:
    document = app.openapi()
    operation = document["paths"]["/v1/things"]["post"]
    assert operation["requestBody"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    assert document["components"]["schemas"]["Thing"]["properties"].keys() == {"name", "colours"}
    assert {"Colour", "Thing", "ProblemDocument", "InvalidParam", "Listing"} == document["components"]["schemas"].keys()
    assert operation["responses"].keys() == {"200", "409", "503"}
    assert "Parts missing" in operation["responses"]["409"]["description"]
    assert [p["name"] for p in document["paths"]["/v1/things"]["get"]["parameters"]] == ["limit", "tag"]


def test_a_whole_number_has_a_minimum_in_the_document(app: FastAPI) -> None:
    limit = app.openapi()["paths"]["/v1/things"]["get"]["parameters"][0]
    assert limit["schema"]["minimum"] == 0
