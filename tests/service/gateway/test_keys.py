"""Keys: who may come in, what each scope opens, and how keys are made, replaced and ended."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain.keys import format_secret
from services.gateway.store.keys import MAX_ENDED
from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import GatewayClient, problem


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer esk_",
        "Bearer esk_" + "A" * 43,
        "Basic esk_" + "A" * 43,
        "Bearer esk_" + "ä" * 43,
        "Bearer " + "x" * 9000,
    ],
)
async def test_without_a_key_that_works_it_is_401(gateway_client: GatewayClient, authorization: str) -> None:
    answer = await gateway_client.http.get("/v1/kpis", headers=[(b"authorization", authorization.encode())])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert problem(answer)["status"] == 401
    assert gateway_client.upstreams.requests == []


async def test_a_key_in_the_url_opens_nothing(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    answer = await gateway_client.http.get("/v1/kpis", params={"api_key": key, "key": key, "authorization": f"Bearer {key}"})
    assert answer.status_code == 401


async def test_a_key_reads_what_its_scope_allows_and_no_more(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    assert (await gateway_client.get("/v1/kpis", key)).status_code == 200
    assert (await gateway_client.get("/v1/kpis/nps/records", key)).status_code == 403
    assert (await gateway_client.get("/v1/connections", key)).status_code == 403
    assert (await gateway_client.call("POST", "/v1/feedback", key, json={})).status_code == 403
    assert [request.url.path for request in gateway_client.upstreams.requests] == ["/v1/kpis"]


async def test_admin_stands_for_all_scopes_but_pii(gateway_client: GatewayClient) -> None:
    admin = await gateway_client.key("admin")
    for scope in ("metrics:read", "records:read", "ingest:write", "admin"):
        assert (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": [scope]})).status_code == 201
    refused = await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["pii:read"]})
    assert refused.status_code == 403
    both = await gateway_client.key("admin", "pii:read")
    assert (await gateway_client.call("POST", "/v1/keys", both, json={"scopes": ["pii:read"]})).status_code == 201


async def test_a_issue_key_is_shown_once_and_works_at_once(gateway_client: GatewayClient) -> None:
    admin = await gateway_client.key("admin")
    made = await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"], "name": "wall"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["key"]
    assert (await gateway_client.get("/v1/kpis", secret)).status_code == 200
    listed = await gateway_client.get("/v1/keys", admin)
    [shown] = [key for key in listed.json()["keys"] if key["id"] == made.json()["id"]]
    assert shown["name"] == "wall"
    assert secret.startswith(shown["prefix"])
    assert secret not in listed.text


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"scopes": []}', "scopes"),
        (b'{"scopes": ["everything"]}', "scopes.0"),
        (b'{"scopes": ["admin"], "colour": 1}', "colour"),
        (b'{"scopes": ["admin"], "name": "a\\u0001b"}', "name"),
        (b'{"scopes": ["admin"], "name": "' + b"x" * 201 + b'"}', "name"),
        (b'{"scopes": ["admin"], "expires_at": "2026-11-20T00:00:00"}', "expires_at"),
        (b'{"scopes": ["admin"], "expires_at": "9999-12-31T23:59:59-23:00"}', "expires_at"),
        (b'{"scopes": ["admin"], "expires_at": "9999-12-31T23:59:59-14:00"}', "expires_at"),
        (b'{"scopes": ["admin"], "expires_at": "0001-01-01T00:00:00+14:00"}', "expires_at"),
        (b'{"scopes": ["admin"], "expires_at": 1e300}', "expires_at"),
        (b"", "scopes"),
    ],
)
async def test_a_wrong_wish_for_a_key_is_422_with_the_place(gateway_client: GatewayClient, body: bytes, place: str) -> None:
    answer = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=body)
    assert answer.status_code == 422
    assert [param["name"] for param in problem(answer)["invalid_params"]] == [place]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"scopes": ["admin"], "name": "\\ud800"}',
        b'{"scopes": ["admin"], "name": "\\u0000"}',
        b"1e400",
        b"null",
    ],
)
async def test_no_body_can_hurt(gateway_client: GatewayClient, body: bytes) -> None:
    answer = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=body)
    assert answer.status_code in {400, 422}
    problem(answer)


async def test_a_body_beyond_the_bound_is_413(gateway_client: GatewayClient) -> None:
    answer = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=b" " * (64 * 1024 + 1))
    assert answer.status_code == 413
    problem(answer)


async def test_a_revoked_key_stops_within_the_second(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=0) as gateway_client:
        admin = await gateway_client.key("admin")
        made = (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"]})).json()
        assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 200
        assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", admin)).status_code == 204
        assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 401
        assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", admin)).status_code == 204


async def test_a_key_ends_at_its_time(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=60) as gateway_client:
        ended = await gateway_client.key("metrics:read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert (await gateway_client.get("/v1/kpis", ended)).status_code == 401


async def test_a_rotated_key_gives_way_to_one_of_the_same_scopes(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=0) as gateway_client:
        admin = await gateway_client.key("admin")
        old = (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"], "name": "wall"})).json()
        rotated = await gateway_client.call("POST", f"/v1/keys/{old['id']}:rotate", admin)
        assert rotated.status_code == 201
        new = rotated.json()
        assert (new["scopes"], new["name"]) == (old["scopes"], old["name"])
        assert (await gateway_client.get("/v1/kpis", new["key"])).status_code == 200
        assert (await gateway_client.get("/v1/kpis", old["key"])).status_code == 401
        assert (await gateway_client.call("POST", f"/v1/keys/{old['id']}:rotate", admin)).status_code == 409


async def test_during_an_overlap_both_keys_work(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=0) as gateway_client:
        admin = await gateway_client.key("admin")
        old = (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"]})).json()
        new = (await gateway_client.call("POST", f"/v1/keys/{old['id']}:rotate", admin, json={"overlap": 60})).json()
        for key in (old, new):
            assert (await gateway_client.get("/v1/kpis", key["key"])).status_code == 200


async def test_an_admin_without_pii_cannot_take_it_by_rotation(gateway_client: GatewayClient) -> None:
    admin, both = await gateway_client.key("admin"), await gateway_client.key("admin", "pii:read")
    made = (await gateway_client.call("POST", "/v1/keys", both, json={"scopes": ["pii:read"]})).json()
    assert (await gateway_client.call("POST", f"/v1/keys/{made['id']}:rotate", admin)).status_code == 403


async def test_another_tenants_keys_are_not_there(gateway_client: GatewayClient) -> None:
    mine, theirs = await gateway_client.key("admin"), await gateway_client.key("admin", tenant="other")
    made = (await gateway_client.call("POST", "/v1/keys", mine, json={"scopes": ["admin"]})).json()
    assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", theirs)).status_code == 404
    assert (await gateway_client.call("POST", f"/v1/keys/{made['id']}:rotate", theirs)).status_code == 404
    assert made["id"] not in (await gateway_client.get("/v1/keys", theirs)).text
    assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 200


async def test_an_unknown_parameter_is_400(gateway_client: GatewayClient) -> None:
    answer = await gateway_client.get("/v1/keys?tenant=other", await gateway_client.key("admin"))
    assert answer.status_code == 400
    assert problem(answer)["invalid_params"][0]["name"] == "tenant"


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (("metrics:read",), ["metrics:read"]),
        (("admin",), ["admin", "ingest:write", "metrics:read", "records:read"]),
        (("pii:read", "ingest:write"), ["ingest:write", "pii:read"]),
    ],
)
async def test_a_key_is_told_what_it_may_do_and_nothing_secret(
    gateway_client: GatewayClient, scopes: tuple[str, ...], may: list[str]
) -> None:
    key = await gateway_client.key(*scopes)
    answer = await gateway_client.get("/v1/keys/self", key)
    assert (answer.status_code, answer.json()["may"], answer.json()["scopes"]) == (200, may, sorted(scopes))
    assert key not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert (await gateway_client.http.get("/v1/keys/self")).status_code == 401
    assert (await gateway_client.get("/v1/keys/self?x=1", key)).status_code == 400


async def test_a_tenant_has_so_many_keys_that_work_also_when_they_are_made_at_once(open_gateway: OpenGateway) -> None:
    async with open_gateway(keys_per_tenant=3, key_cache_seconds=0) as gateway_client:
        admin, body = await gateway_client.key("admin"), {"scopes": ["metrics:read"]}
        answers = await asyncio.gather(*(gateway_client.call("POST", "/v1/keys", admin, json=body) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409]
        [refused, *_] = [problem(answer) for answer in answers if answer.status_code == 409]
        assert "3 active keys" in refused["detail"]
        [made, other] = [answer.json() for answer in answers if answer.status_code == 201]
        rotate = f"/v1/keys/{made['id']}:rotate"
        assert (await gateway_client.call("POST", rotate, admin, json={"overlap": 60})).status_code == 409
        assert (await gateway_client.call("POST", rotate, admin)).status_code == 201
        assert (await gateway_client.call("POST", "/v1/keys", admin, json=body)).status_code == 409
        await gateway_client.call("DELETE", f"/v1/keys/{other['id']}", admin)
        assert (await gateway_client.call("POST", "/v1/keys", admin, json=body)).status_code == 201
        assert (
            await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin", tenant="other"), json=body)
        ).status_code == 201


async def test_keys_that_have_ended_do_not_pile_up(open_gateway: OpenGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ENDED > 100
    monkeypatch.setattr("services.gateway.store.keys.MAX_ENDED", 2)
    async with open_gateway() as gateway_client:
        admin = await gateway_client.key("admin")
        for _ in range(6):
            made = (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"]})).json()
            await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", admin)
        listed = (await gateway_client.get("/v1/keys", admin)).json()["keys"]
        assert [key["revoked_at"] is None for key in listed].count(False) <= 3
        assert made["id"] in [key["id"] for key in listed]


async def test_all_keys_of_a_tenant_share_its_rate(open_gateway: OpenGateway) -> None:
    async with open_gateway(tenant_rate_per_second=0.01, tenant_rate_burst=4) as gateway_client:
        keys = [await gateway_client.key("metrics:read") for _ in range(3)]
        statuses = [(await gateway_client.get("/v1/kpis", key)).status_code for key in keys * 2]
        assert statuses == [200] * 4 + [429] * 2
        refused = await gateway_client.get("/v1/kpis", keys[0])
        assert int(refused.headers["retry-after"]) > 1
        assert "tenant" in problem(refused)["detail"]
        assert '"tenant";r=0' in refused.headers["ratelimit"]
        assert (await gateway_client.get("/v1/kpis", await gateway_client.key("metrics:read", tenant="other"))).status_code == 200


async def test_guessing_of_keys_is_slowed_by_address_and_shuts_no_user_out(open_gateway: OpenGateway) -> None:
    async with open_gateway(guesses_per_minute=0.1, guesses_burst=3, key_cache_seconds=0) as gateway_client:
        known, fresh = await gateway_client.key("metrics:read"), await gateway_client.key("metrics:read")
        assert (await gateway_client.get("/v1/kpis", known)).status_code == 200
        guesses = [(await gateway_client.get("/v1/kpis", format_secret(bytes([n] * 32)))).status_code for n in range(5)]
        assert guesses == [401, 401, 401, 429, 429]
        refused = await gateway_client.get("/v1/kpis", "esk_nonsense")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 1
        problem(refused)
        looked_up: list[bytes] = []
        monitor(gateway_client, looked_up)
        assert (await gateway_client.get("/v1/kpis", format_secret(bytes(32)))).status_code == 429
        assert looked_up == []
        assert (await gateway_client.get("/v1/kpis", known)).status_code == 200
        assert (await gateway_client.http.get("/v1/kpis")).status_code == 401
        assert (await gateway_client.get("/v1/kpis", fresh)).status_code == 429


def monitor(gateway_client: GatewayClient, looked_up: list[bytes]) -> None:
    """Note each digest that the database is asked for."""
    ring = gateway_client.app.state.gateway.key_cache
    find = ring._find

    async def noted(digest: bytes) -> object:
        looked_up.append(digest)
        return await find(digest)

    ring._find = noted


async def test_a_key_that_has_ended_is_no_guess(open_gateway: OpenGateway) -> None:
    async with open_gateway(guesses_per_minute=0.1, guesses_burst=2) as gateway_client:
        ended = await gateway_client.key("metrics:read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert [(await gateway_client.get("/v1/kpis", ended)).status_code for _ in range(5)] == [401] * 5


async def test_a_body_of_many_values_is_400(gateway_client: GatewayClient) -> None:
    body = {"scopes": ["admin"]} | {f"unknown_{number}": 1 for number in range(200)}
    answer = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), json=body)
    assert (answer.status_code, problem(answer)["detail"]) == (400, "more than 100 values")
