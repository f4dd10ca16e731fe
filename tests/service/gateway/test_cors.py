"""CORS: off by default; allowed origins may send the API's headers and read its own."""

import pytest
from pydantic import ValidationError

from services.gateway.settings import Settings
from tests.service.gateway.conftest import OpenGateway
from tests.service.gateway.gateway_client import GatewayClient

APP, OTHER = "https://app.example.com", "https://other.example.com"
EXPOSED = {"etag", "ratelimit", "ratelimit-policy", "x-earshot-watermark", "retry-after", "x-request-id", "link"}
SENT = "authorization, if-none-match, idempotency-key, content-type"


def preflight(origin: str, method: str = "POST", headers: str = SENT) -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}


async def test_no_origin_is_allowed_by_default(gateway_client: GatewayClient) -> None:
    key = await gateway_client.key("metrics:read")
    response = await gateway_client.get("/v1/kpis", key, headers={"origin": APP})
    checked = await gateway_client.http.request("OPTIONS", "/v1/kpis", headers=preflight(APP))
    assert not [name for answer in (response, checked) for name in answer.headers if name.startswith("access-control")]


async def test_an_allowed_origin_may_call_and_read_the_headers(open_gateway: OpenGateway) -> None:
    async with open_gateway(cors_origins=f"{APP}, http://127.0.0.1:3000") as gateway_client:
        http = gateway_client.http
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            answer = await http.request("OPTIONS", "/v1/feedback", headers=preflight(APP, method))
            assert answer.status_code == 200
            assert answer.headers["access-control-allow-origin"] == APP
            assert method in answer.headers["access-control-allow-methods"]
            assert answer.headers["x-request-id"]
            allowed = set(answer.headers["access-control-allow-headers"].lower().split(", "))
            assert set(SENT.split(", ")) <= allowed
        key = await gateway_client.key("metrics:read")
        for response in (
            await gateway_client.get("/v1/kpis", key, headers={"origin": APP}),
            await http.get("/v1/kpis", headers={"origin": APP}),
            await http.get("/v1/nowhere", headers={"origin": APP}),
        ):
            assert response.headers["access-control-allow-origin"] == APP
            assert set(response.headers["access-control-expose-headers"].lower().split(", ")) >= EXPOSED
            assert "access-control-allow-credentials" not in response.headers
            assert "origin" in response.headers["vary"].lower()


async def test_other_origins_and_other_paths_get_nothing(open_gateway: OpenGateway) -> None:
    async with open_gateway(cors_origins=APP) as gateway_client:
        http = gateway_client.http
        refused = await http.request("OPTIONS", "/v1/feedback", headers=preflight(OTHER))
        assert refused.status_code == 400
        response = await http.get("/openapi.json", headers={"origin": OTHER})
        page = await http.get("/", headers={"origin": APP})
        metrics = await http.get("/metrics", headers={"origin": APP})
        for answer in (refused, response, page, metrics):
            assert "access-control-allow-origin" not in answer.headers


async def test_a_star_allows_every_origin(open_gateway: OpenGateway) -> None:
    async with open_gateway(cors_origins="*") as gateway_client:
        response = await gateway_client.http.get("/openapi.json", headers={"origin": OTHER})
        assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "origins", ["app.example.com", "https://app.example.com/", "https://App.example.com", "null", f"{APP};{OTHER}"]
)
def test_only_origins_are_accepted_as_the_setting(origins: str) -> None:
    with pytest.raises(ValidationError, match="not an origin"):
        Settings(database_url="postgresql://x", internal_token=16 * "x", cors_origins=origins)
