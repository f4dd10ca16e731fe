"""Plays ingest and metrics for operator tasks."""

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.service.gateway.gateway_client import TOKEN

REPORT = {
    "model": "linear-1",
    "promoted": "vader-3.3.2",
    "comments": 12,
    "missing": 0,
    "n": 11,
    "agreement": 81.5,
    "changed": 2,
    "kpis": [{"kpi": "sentiment", "agg": None, "promoted": {"value": 0.25}, "candidate": {"value": 0.75}, "delta": 0.5}],
}


def model_answer(request: httpx.Request) -> httpx.Response:
    """Plays the models of metrics: linear-1 has scored everything, e5-2 has not."""
    match request.url.path.removeprefix("/v1/models").removeprefix("/"):
        case "":
            return httpx.Response(200, json={"comments": 12, "models": [{"name": "linear-1", "promoted": False, "scores": 12}]})
        case "linear-1/shadow":
            return httpx.Response(200, json=REPORT | {"window": str(request.url.params["window"])})
        case "linear-1:promote":
            return httpx.Response(200, json={"model": "linear-1", "promoted_at": "2026-11-20T12:00:00+00:00"})
        case "e5-2:promote":
            return httpx.Response(409, json={"title": "Scores missing", "detail": "3 of 12 comments have no score of e5-2 yet"})
        case _:
            return httpx.Response(404, json={"title": "Unknown model", "detail": "no comment has a score of this model"})


def customers_answer(action: str, query: dict[str, Any]) -> dict[str, Any]:
    """Plays customers of ingest: a customer with two subjects, which are exported one on a page."""
    if action == "export":
        page = int(query.get("cursor", 1))
        return {
            "exported_at": "2026-11-20T12:00:00Z",
            "subjects": [{"subject": f"r-{page}"}],
            "cursor": "2" if page == 1 else None,
        }
    if action == "erase":
        stores = [{"name": "ingest.events", "rows": 7, "gone_by": "2026-11-20T12:00:00Z"}]
        return {
            "id": "12",
            "at": "2026-11-20T12:00:00Z",
            "subjects": 2,
            "stores": stores,
            "remaining": 0,
            "complete": True,
            "left_out": [],
        }
    identity = {"pseudonym": "6c1e", "kind": "id", "requested": True, "shared": False}
    holding = {"connection": "con_1", "provider": "zendesk", "name": "Support", "subjects": 2, "statements": 7}
    left_out = {"pseudonym": "b" * 32, "kind": "id", "reason": "placeholder", "detail": "It stands for everybody without an id"}
    return {
        "identities": [identity],
        "subjects": 2,
        "statements": 7,
        "holdings": [holding],
        "complete": False,
        "left_out": [left_out],
    }


def kpi_answer(request: httpx.Request) -> httpx.Response:
    """Plays a KPI of metrics, with the presets that the request names."""
    row: dict[str, Any] = {"from": "2026-11-01", "to": "2026-12-01", "dims": {}, "value": 3600, "n": 2, "interval": None}
    presets = [name for name in request.url.params.get("compare_presets", "").split(",") if name]
    row |= {"flags": ["low_n"], "presets": [{"preset": name, "value": 600, "n": 3, "delta": -3000} for name in presets]}
    heads = [{"preset": name, "tickets": 3, "different_tickets": 2, "difference": "bots are agents"} for name in presets]
    return httpx.Response(200, json={"rows": [row], "compare_presets": heads, "query": dict(request.url.params)})


def explanation_answer(request: httpx.Request) -> httpx.Response:
    """Plays explanations of metrics: with a window the value and its recomputation differ, `nope` is no KPI."""
    kpi = request.url.path.split("/")[3]
    if kpi != "nope" and not request.url.path.endswith("/explain"):
        return kpi_answer(request)
    if kpi == "nope":
        return httpx.Response(404, json={"title": "Unknown KPI", "detail": 'there is no KPI "nope"'})
    left_out = [{"reason": "no_answer", "n": 17, "of": "responses", "description": "No answer"}]
    value = {"value": 25.0, "recomputed": 25.0, "equal": "window" not in request.url.params, "recomputed_from": 5}
    words = {"kpi": kpi, "formula": "100 · …", "filled_in": "100 · (2 − 1) / 4", "query": dict(request.url.params)}
    return httpx.Response(200, json={**words, **value, "flags": [], "rows": [], "left_out": left_out})


def tickets_answer(request: httpx.Request) -> httpx.Response:
    """Plays two pages of the ticket export, with the query of the request as the subject. `window=9y` is refused."""
    if request.url.params.get("window") == "9y":
        return httpx.Response(400, json={"invalid_params": [{"name": "window", "reason": "is not a window"}]})
    following = None if "cursor" in request.url.params else "c/2"
    ticket = {"subject": request.url.query.decode(), "reopens": 1}
    columns = [{"name": "subject", "type": "string"}, {"name": "reopens", "type": "integer"}]
    return httpx.Response(200, json={"columns": columns, "tickets": [ticket], "next": following})


def quarantine_answer(request: httpx.Request) -> httpx.Response:
    """Plays quarantine and jobs of ingest. Items have the query of the request as their reason."""
    assert "x-earshot-key" not in request.headers, "the operator has none"
    item = {"id": "7", "reason": request.url.query.decode()}
    job = {"id": "3", "kind": "retry", "state": "running", "deliveries": 9, "done": 2, "results": {"accepted": 2}}
    match request.method, request.url.path:
        case "GET", "/v1/quarantine:count":
            return httpx.Response(200, json={"deliveries": 9, "counts": [{"reason_code": "too_large", "deliveries": 9}]})
        case "GET", "/v1/quarantine/7":
            return httpx.Response(200, json=item | {"headers": {"x-hook-id": "6f3a"}, "body": '{"words": "of a customer"}'})
        case "GET", "/v1/quarantine":
            return httpx.Response(200, json={"items": [item], "cursor": None})
        case "GET", _:
            return httpx.Response(200, json={"items": [job], "cursor": None})
        case _, "/v1/quarantine/7:retry" | "/v1/quarantine/7:discard":
            return httpx.Response(200, json={"id": "7", "status": "accepted", "reason": None})
        case _:
            return httpx.Response(202, json=job)


def retention_answer(request: httpx.Request) -> httpx.Response:
    """Plays the retention of ingest: 30 days for bodies, or what the request sets."""
    setting = json.loads(request.content or b'{"body_days": 30, "quarantine_days": null}')
    return httpx.Response(200, json={**setting, "deleted_before": None, "changed_at": None})


def replay_answer(request: httpx.Request) -> httpx.Response:
    """Plays replays of ingest."""
    if request.method == "GET":
        return httpx.Response(200, json={"id": "r1", "state": "running", "deliveries": 640, "progress": 0.5})
    reread = json.loads(request.content).get("reread")
    replay = {"id": None, "job": "3", "state": None} if reread else {"id": "r1", "job": None, "state": "running"}
    return httpx.Response(202, json=replay | {"deliveries": 1280})


def freezing_answer(request: httpx.Request) -> httpx.Response:
    """Plays the freezing of metrics: after 12 months, or what the request sets."""
    setting = json.loads(request.content or b'{"after_months": 12}')
    return httpx.Response(200, json={**setting, "frozen": 9, "frozen_before": None, "running": True})


def connection_answer(request: httpx.Request) -> httpx.Response:
    """Plays a connection of ingest whose back-fill runs. A new secret is a part of the answer, as it is of ingest's."""
    if request.method == "DELETE":
        return httpx.Response(204)
    changes = json.loads(request.content or b"{}")
    secret = {"secret": changes["secret"] or "whsec_new"} if "secret" in changes else {}
    state = {"state": "paused" if changes.get("paused") else "active", "secrets": 2 if secret else 1}
    health = {"backfill": {"job": "3", "state": "running"}}
    return httpx.Response(
        200, json={"id": "c1", "provider": "hubspot", "has_credentials": True, "health": health, **state, **secret}
    )


ANSWERS = {
    "/v1/connections/": connection_answer,
    "/v1/kpis": explanation_answer,
    "/v1/tickets": tickets_answer,
    "/v1/replay": replay_answer,
    "/v1/retention": retention_answer,
    "/v1/freezing": freezing_answer,
    "/v1/models": model_answer,
}
"""The answers to paths that begin so."""


@dataclass
class FakeServices:
    """Plays ingest and metrics. Records each request; the first `failures` requests fail."""

    failures: int = 0
    taxonomy: dict[str, Any] = field(default_factory=lambda: {"revision": 0, "themes": None})
    requests: list[tuple[str, Any]] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        if self.failures:
            self.failures -= 1
            raise httpx.ConnectError("unreachable", request=request)
        self.requests.append((f"{request.method} {request.url.path}", json.loads(request.content or b"null")))
        if request.url.path == "/v1/connections" and request.method == "POST":
            if json.loads(request.content)["provider"] == "unknown":
                return httpx.Response(422, json={"invalid_params": [{"name": "provider", "reason": "unknown"}]})
            return httpx.Response(201, json={"id": "c1", "provider": "standard", "secret": "whsec_x"})
        if request.url.path == "/v1/providers":
            assert "x-earshot-tenant" not in request.headers
            provider = {"id": "zendesk", "title": "Zendesk", "content": ["ticket.opened", "names"], "backfill": False}
            return httpx.Response(200, json={"providers": [provider]})
        if request.url.path.startswith(("/v1/quarantine", "/v1/jobs")) or request.url.path.endswith(":backfill"):
            return quarantine_answer(request)
        if request.url.path.startswith("/v1/customers"):
            return httpx.Response(200, json=customers_answer(request.url.path.partition(":")[2], json.loads(request.content)))
        if request.url.path == "/v1/taxonomy":
            return self.themes(request)
        for prefix, answer in ANSWERS.items():
            if request.url.path.startswith(prefix):
                return answer(request)
        return httpx.Response(
            200,
            json={"connections": [{"id": "c1", "tenant": request.headers["x-earshot-tenant"]}]}
            if "connections" in request.url.path
            else {},
        )

    def themes(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            body = json.loads(request.content or b"{}")
            based_on = request.url.params.get("revision", body.get("revision", self.taxonomy["revision"]))
            if int(based_on) != self.taxonomy["revision"]:
                return httpx.Response(409, json={"detail": "another revision is in force"})
            self.taxonomy = {"revision": self.taxonomy["revision"] + 1, "themes": body.get("themes")}
        return httpx.Response(200, json=self.taxonomy)
