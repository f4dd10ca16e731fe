"""Entity tags: other tenants' events leave those of KPIs valid, the tenant's own do not; a document's follow its content."""

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


async def test_explanations_histories_and_tickets_have_tags_that_change_with_their_own_content_alone(stack: Stack) -> None:
    connection = await stack.new_connection("standard")
    day = datetime.now(UTC) - timedelta(days=3)

    async def get(path: str, etag: str = "", accept: str = "application/json", **params: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {stack.api_key}", "accept": accept, "if-none-match": etag}
        return await stack.http.get(f"{stack.gateway_url}{path}", params=params, headers=headers)

    async def post(ticket: str, *facts: dict[str, str]) -> None:
        record = {"type": "ticket", "id": ticket, "at": facts[-1]["at"], "facts": list(facts)}
        headers = {"authorization": f"Bearer {stack.admin_key}"}
        url = f"{stack.gateway_url}/v1/feedback"
        answer = await stack.http.post(url, json=record, params={"connection": connection["id"]}, headers=headers)
        assert answer.status_code == 202, answer.text

    window = {"from": (day - timedelta(hours=1)).isoformat(), "to": (day + timedelta(hours=1)).isoformat()}
    own = window | {"filter[connection]": connection["id"]}
    history = f"/v1/feedback/{connection['id']}/ticket/a"

    async def tickets_are(n: int) -> bool:
        return len((await get("/v1/tickets", **own)).json()["tickets"]) == n

    opened = {"fact": "opened", "at": day.isoformat()}
    await post("a", opened, {"fact": "message", "by": "agent", "at": (day + timedelta(minutes=5)).isoformat()})
    await until(lambda: tickets_are(1), description="the first ticket listed")
    requests = [
        ("/v1/tickets", "application/json", own),
        ("/v1/tickets", "text/csv", own),
        ("/v1/tickets", "application/vnd.apache.parquet", own),
        ("/v1/kpis/first_reply_time/explain", "application/json", own),
        (history, "application/json", {}),
    ]
    tags = [(await get(path, accept=accept, **params)).headers["etag"] for path, accept, params in requests]
    again = [await get(path, tag, accept, **params) for (path, accept, params), tag in zip(requests, tags, strict=True)]
    assert [(one.status_code, one.content) for one in again] == [(304, b"")] * len(requests)

    await post("b", opened, {"fact": "message", "by": "agent", "at": (day + timedelta(minutes=7)).isoformat()})
    await until(lambda: tickets_are(2), description="the second ticket listed")
    changed = [await get(path, tag, accept, **params) for (path, accept, params), tag in zip(requests, tags, strict=True)]
    assert [one.status_code for one in changed] == [200, 200, 200, 200, 304], "the history is that of the first ticket"
