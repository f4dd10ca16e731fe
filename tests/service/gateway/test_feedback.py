"""The history of a subject at the gateway: scope, and names that hold any text of a tool."""

import pytest

from tests.service.gateway.gateway_client import GatewayClient


@pytest.mark.parametrize(
    ("path", "forwarded"),
    [
        ("c1/ticket/T-9", "c1/ticket/T-9"),
        ("c1/ticket/a%20b%2F7", "c1/ticket/a%20b%2F7"),
        ("c1/review/1.5", "c1/review/1%2E5"),
        ("c1/ticket/..a", "c1/ticket/%2E%2Ea"),
        ("c1/ticket/x/../../../internal/revision", None),
        ("c1/ticket/x%2F..%2F..%2F..%2Finternal", "c1/ticket/x%2F%2E%2E%2F%2E%2E%2F%2E%2E%2Finternal"),
        ("c1/response/%3Fa=1%23b", "c1/response/%3Fa%3D1%23b"),
        ("c1/survey/1", None),
        ("../ticket/1", None),
        ("c1/ticket/", None),
    ],
)
async def test_the_name_of_a_subject_is_one_path_whatever_it_holds(
    gateway_client: GatewayClient, path: str, forwarded: str | None
) -> None:
    key = await gateway_client.key("records:read")
    response = await gateway_client.get(f"/v1/feedback/{path}", key)
    requests = [request.url.raw_path.decode() for request in gateway_client.upstreams.requests]
    if forwarded is None:
        assert (response.status_code, requests) == (404, [])
    else:
        assert (response.status_code, requests) == (200, [f"/v1/feedback/{forwarded}"])


async def test_a_history_needs_the_scope_of_records(gateway_client: GatewayClient) -> None:
    response = await gateway_client.get("/v1/feedback/c1/ticket/1", await gateway_client.key("metrics:read"))
    assert (response.status_code, gateway_client.upstreams.requests) == (403, [])
    tenant = await gateway_client.get("/v1/feedback/c1/ticket/1", await gateway_client.key("records:read", tenant="other"))
    assert tenant.status_code == 200
    assert gateway_client.upstreams.last_request.headers.get_list("x-earshot-tenant") == ["other"]
