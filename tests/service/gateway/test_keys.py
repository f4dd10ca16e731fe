"""API keys: authentication, scopes, creation, rotation, revocation and rate limits."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain.keys import Key, format_secret
from services.gateway.store.keys import MAX_ENDED, Keys
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
async def test_a_request_without_an_active_key_is_401(gateway_client: GatewayClient, authorization: str) -> None:
    response = await gateway_client.http.get("/v1/kpis", headers=[(b"authorization", authorization.encode())])
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert problem(response)["status"] == 401
    assert gateway_client.upstreams.requests == []


async def test_a_key_in_the_url_is_ignored(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    response = await gateway_client.http.get("/v1/kpis", params={"api_key": key, "key": key, "authorization": f"Bearer {key}"})
    assert response.status_code == 401


async def test_a_key_reads_only_what_its_scopes_allow(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    assert (await gateway_client.get("/v1/kpis", key)).status_code == 200
    assert (await gateway_client.get("/v1/kpis/nps/records", key)).status_code == 403
    assert (await gateway_client.get("/v1/connections", key)).status_code == 403
    assert (await gateway_client.call("POST", "/v1/feedback", key, json={})).status_code == 403
    assert [request.url.path for request in gateway_client.upstreams.requests] == ["/v1/kpis"]


async def test_admin_includes_all_scopes_but_pii(gateway_client: GatewayClient) -> None:
    admin = await gateway_client.key("admin")
    for scope in ("metrics:read", "records:read", "ingest:write", "admin"):
        assert (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": [scope]})).status_code == 201
    refused = await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["pii:read"]})
    assert refused.status_code == 403
    both = await gateway_client.key("admin", "pii:read")
    assert (await gateway_client.call("POST", "/v1/keys", both, json={"scopes": ["pii:read"]})).status_code == 201


async def test_the_secret_of_a_new_key_is_returned_once_and_works_at_once(gateway_client: GatewayClient) -> None:
    admin = await gateway_client.key("admin")
    made = await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"], "name": "wall"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["key"]
    assert (await gateway_client.get("/v1/kpis", secret)).status_code == 200
    listed = await gateway_client.get("/v1/keys", admin)
    [listed_key] = [key for key in listed.json()["keys"] if key["id"] == made.json()["id"]]
    assert listed_key["name"] == "wall"
    assert secret.startswith(listed_key["prefix"])
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
async def test_an_invalid_key_is_422_with_the_field(gateway_client: GatewayClient, body: bytes, place: str) -> None:
    response = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=body)
    assert response.status_code == 422
    assert [param["name"] for param in problem(response)["invalid_params"]] == [place]


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
async def test_a_malformed_body_is_a_4xx(gateway_client: GatewayClient, body: bytes) -> None:
    response = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=body)
    assert response.status_code in {400, 422}
    problem(response)


async def test_a_body_over_the_limit_is_413(gateway_client: GatewayClient) -> None:
    response = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), content=b" " * (64 * 1024 + 1))
    assert response.status_code == 413
    problem(response)


async def test_a_revoked_key_stops_working(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=0) as gateway_client:
        admin = await gateway_client.key("admin")
        made = (await gateway_client.call("POST", "/v1/keys", admin, json={"scopes": ["metrics:read"]})).json()
        assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 200
        assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", admin)).status_code == 204
        assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 401
        assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", admin)).status_code == 204


async def test_an_expired_key_is_refused(open_gateway: OpenGateway) -> None:
    async with open_gateway(key_cache_seconds=60) as gateway_client:
        ended = await gateway_client.key("metrics:read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert (await gateway_client.get("/v1/kpis", ended)).status_code == 401


async def test_a_rotated_key_is_replaced_by_one_with_the_same_scopes(open_gateway: OpenGateway) -> None:
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


async def test_an_admin_without_pii_cannot_gain_it_by_rotation(gateway_client: GatewayClient) -> None:
    admin, both = await gateway_client.key("admin"), await gateway_client.key("admin", "pii:read")
    made = (await gateway_client.call("POST", "/v1/keys", both, json={"scopes": ["pii:read"]})).json()
    assert (await gateway_client.call("POST", f"/v1/keys/{made['id']}:rotate", admin)).status_code == 403


async def test_another_tenants_keys_are_not_found(gateway_client: GatewayClient) -> None:
    mine, theirs = await gateway_client.key("admin"), await gateway_client.key("admin", tenant="other")
    made = (await gateway_client.call("POST", "/v1/keys", mine, json={"scopes": ["admin"]})).json()
    assert (await gateway_client.call("DELETE", f"/v1/keys/{made['id']}", theirs)).status_code == 404
    assert (await gateway_client.call("POST", f"/v1/keys/{made['id']}:rotate", theirs)).status_code == 404
    assert made["id"] not in (await gateway_client.get("/v1/keys", theirs)).text
    assert (await gateway_client.get("/v1/kpis", made["key"])).status_code == 200


async def test_an_unknown_parameter_is_400(gateway_client: GatewayClient) -> None:
    response = await gateway_client.get("/v1/keys?tenant=other", await gateway_client.key("admin"))
    assert response.status_code == 400
    assert problem(response)["invalid_params"][0]["name"] == "tenant"


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (("metrics:read",), ["metrics:read"]),
        (("admin",), ["admin", "ingest:write", "metrics:read", "records:read"]),
        (("pii:read", "ingest:write"), ["ingest:write", "pii:read"]),
    ],
)
async def test_a_key_can_read_its_own_scopes(gateway_client: GatewayClient, scopes: tuple[str, ...], may: list[str]) -> None:
    key = await gateway_client.key(*scopes)
    response = await gateway_client.get("/v1/keys/self", key)
    assert (response.status_code, response.json()["may"], response.json()["scopes"]) == (200, may, sorted(scopes))
    assert key not in response.text
    assert response.headers["cache-control"] == "no-store"
    assert (await gateway_client.http.get("/v1/keys/self")).status_code == 401
    assert (await gateway_client.get("/v1/keys/self?x=1", key)).status_code == 400


async def test_the_limit_of_active_keys_holds_for_concurrent_requests(open_gateway: OpenGateway) -> None:
    async with open_gateway(keys_per_tenant=3, key_cache_seconds=0) as gateway_client:
        admin, body = await gateway_client.key("admin"), {"scopes": ["metrics:read"]}
        responses = await asyncio.gather(*(gateway_client.call("POST", "/v1/keys", admin, json=body) for _ in range(5)))
        assert sorted(response.status_code for response in responses) == [201, 201, 409, 409, 409]
        [refused, *_] = [problem(response) for response in responses if response.status_code == 409]
        assert "3 active keys" in refused["detail"]
        [made, other] = [response.json() for response in responses if response.status_code == 201]
        rotate = f"/v1/keys/{made['id']}:rotate"
        assert (await gateway_client.call("POST", rotate, admin, json={"overlap": 60})).status_code == 409
        assert (await gateway_client.call("POST", rotate, admin)).status_code == 201
        assert (await gateway_client.call("POST", "/v1/keys", admin, json=body)).status_code == 409
        await gateway_client.call("DELETE", f"/v1/keys/{other['id']}", admin)
        assert (await gateway_client.call("POST", "/v1/keys", admin, json=body)).status_code == 201
        assert (
            await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin", tenant="other"), json=body)
        ).status_code == 201


async def test_old_ended_keys_are_deleted(open_gateway: OpenGateway, monkeypatch: pytest.MonkeyPatch) -> None:
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


async def test_guesses_are_limited_by_address_and_known_keys_still_work(
    open_gateway: OpenGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[bytes] = []
    find = Keys.find

    async def recorded(keys: Keys, digest: bytes) -> Key | None:
        looked_up.append(digest)
        return await find(keys, digest)

    monkeypatch.setattr(Keys, "find", recorded)
    async with open_gateway(guesses_per_minute=0.1, guesses_burst=3, key_cache_seconds=0) as gateway_client:
        known, fresh = await gateway_client.key("metrics:read"), await gateway_client.key("metrics:read")
        assert (await gateway_client.get("/v1/kpis", known)).status_code == 200
        guesses = [(await gateway_client.get("/v1/kpis", format_secret(bytes([n] * 32)))).status_code for n in range(5)]
        assert guesses == [401, 401, 401, 429, 429]
        refused = await gateway_client.get("/v1/kpis", "esk_nonsense")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 1
        problem(refused)
        looked_up.clear()
        assert (await gateway_client.get("/v1/kpis", format_secret(bytes(32)))).status_code == 429
        assert looked_up == []
        assert (await gateway_client.get("/v1/kpis", known)).status_code == 200
        assert (await gateway_client.http.get("/v1/kpis")).status_code == 401
        assert (await gateway_client.get("/v1/kpis", fresh)).status_code == 429


async def test_an_expired_key_is_not_a_guess(open_gateway: OpenGateway) -> None:
    async with open_gateway(guesses_per_minute=0.1, guesses_burst=2) as gateway_client:
        ended = await gateway_client.key("metrics:read", expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert [(await gateway_client.get("/v1/kpis", ended)).status_code for _ in range(5)] == [401] * 5


async def test_a_body_of_many_values_is_400(gateway_client: GatewayClient) -> None:
    body = {"scopes": ["admin"]} | {f"unknown_{number}": 1 for number in range(200)}
    response = await gateway_client.call("POST", "/v1/keys", await gateway_client.key("admin"), json=body)
    assert (response.status_code, problem(response)["detail"]) == (400, "more than 100 values")
