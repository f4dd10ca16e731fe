"""The page's files: no key, a strict content security policy, compression and caching."""

import gzip
import os
from pathlib import Path

import pytest

from services.gateway.api.page import PAGE, Files
from shared.problems import NotFound
from tests.service.gateway.gateway_client import GatewayClient, problem


async def test_the_page_needs_no_key_and_its_policy_allows_no_other_origin(gateway_client: GatewayClient) -> None:
    response = await gateway_client.http.get("/")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_every_file_of_the_page_is_served(gateway_client: GatewayClient) -> None:
    served = [path.name for path in PAGE.iterdir() if path.is_file() and path.name != "index.html"]
    assert served
    for name in served:
        response = await gateway_client.http.get(f"/static/{name}")
        assert response.status_code == 200, name
        assert response.content == (PAGE / name).read_bytes()


async def test_the_chart_library_is_compressed_and_cached(gateway_client: GatewayClient) -> None:
    packed = await gateway_client.http.get("/static/plotly.min.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 2_000_000 < len(packed.content)
    assert packed.headers["cache-control"] == "public, max-age=86400"
    plain = await gateway_client.http.get("/static/plotly.min.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content
    assert plain.headers["etag"] != packed.headers["etag"]
    again = await gateway_client.http.get("/static/plotly.min.js", headers={"if-none-match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "name", ["..%2fapp.py", "%2e%2e", "app.py", "index", ".hidden.js", "index.html/..", "a%00.js", "nope.js"]
)
async def test_no_other_file_is_served(gateway_client: GatewayClient, name: str) -> None:
    response = await gateway_client.http.get(f"/static/{name}")
    assert response.status_code == 404
    problem(response)


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    files = Files(tmp_path)
    path = tmp_path / "a.js"
    path.write_text("one")
    first = await files.get("a.js")
    assert first is await files.get("a.js")
    path.write_text("two, longer")
    os.utime(path, ns=(1, 1))
    second = await files.get("a.js")
    assert second.content == gzip.decompress(second.gzipped or b"") == b"two, longer"
    assert second.digest != first.digest
    path.unlink()
    with pytest.raises(NotFound):
        await files.get("a.js")


async def test_health_needs_no_key(gateway_client: GatewayClient) -> None:
    assert (await gateway_client.http.get("/livez")).status_code == 200
    assert (await gateway_client.http.get("/readyz")).json() == {"status": "ok", "missing": []}
