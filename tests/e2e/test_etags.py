"""Entity tags of KPI results: another tenant's events leave them valid, the tenant's own events do not."""

from datetime import UTC, datetime, timedelta

import httpx

from tests.e2e.stack import Stack, nps_response, until


async def test_a_tag_stays_valid_under_another_tenants_traffic_and_changes_with_the_tenants_own(stack: Stack) -> None:
    _, other_key = await stack.new_tenant("other")
    connection = await stack.new_connection("standard")
    day = datetime.now(UTC) - timedelta(days=2)
    window = {"from": (day - timedelta(hours=1)).isoformat(), "to": (day + timedelta(hours=1)).isoformat()}
    own = window | {"filter[connection]": connection["id"]}

    async def nps(key: str, etag: str = "", **params: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} | ({"if-none-match": etag} if etag else {})
        return await stack.http.get(f"{stack.gateway_url}/v1/kpis/nps", params=params, headers=headers)

    async def counted(key: str, n: int, **params: str) -> bool:
        return bool((await nps(key, **params)).json()["rows"][0]["n"] == n)

    async def post(key: str, value: int, **params: str) -> None:
        record = nps_response(value) | {"at": day.isoformat()}
        headers = {"authorization": f"Bearer {key}"}
        answer = await stack.http.post(f"{stack.gateway_url}/v1/feedback", json=record, params=params, headers=headers)
        assert answer.status_code == 202, answer.text

    await post(stack.admin_key, 9, connection=connection["id"])
    await until(lambda: counted(stack.api_key, 1, **own), description="the tenant's answer counted")
    etag = (await nps(stack.api_key, **own)).headers["etag"]

    for value in range(10):
        await post(other_key, value)
    await until(lambda: counted(other_key, 10, **window), description="the other tenant's answers counted")
    unchanged = await nps(stack.api_key, etag, **own)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["etag"] == etag
    assert (await nps(other_key, etag, **window)).status_code == 200, "a tag of one tenant is none of another's"

    await post(stack.admin_key, 10, connection=connection["id"])
    await until(lambda: counted(stack.api_key, 2, **own), description="the tenant's second answer counted")
    changed = await nps(stack.api_key, etag, **own)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
