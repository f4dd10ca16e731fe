"""A tenant's themes over HTTP: set, read, changed concurrently and reset, apart from those of other tenants."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from shared.taxonomy import TenantTaxonomy, ThemeDefinition
from tests.service.ingest.client import TOKEN, IngestClient

INTERNAL = {"authorization": f"Bearer {TOKEN}"}


def theme(id: str = "delivery", **fields: Any) -> dict[str, Any]:
    return {"id": id, "name": "Delivery", "description": "Parcels that come late", "examples": ["Still not here"], **fields}


async def put(ingest: IngestClient, *themes: dict[str, Any], **fields: Any) -> httpx.Response:
    return await ingest.call("PUT", "/v1/taxonomy", json={"themes": themes, **fields})


async def get_view(ingest: IngestClient, **query: Any) -> Any:
    answer = await ingest.call("GET", "/v1/taxonomy", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def get_internal(ingest: IngestClient, tag: str = "") -> httpx.Response:
    """The answer that sentiment gets."""
    return await ingest.http.get(f"/internal/taxonomies/{ingest.tenant}", headers={**INTERNAL, "if-none-match": tag})


async def test_revision_0_is_the_shipped_themes(ingest: IngestClient) -> None:
    assert await get_view(ingest) == await get_view(ingest, revision=0) == {"revision": 0, "themes": None}
    assert msgspec.json.decode((await get_internal(ingest)).content, type=TenantTaxonomy) == TenantTaxonomy(0)


async def test_a_new_taxonomy_is_current_and_earlier_revisions_stay_readable(ingest: IngestClient) -> None:
    first = (await put(ingest, theme())).json()
    assert first == {"revision": 1, "themes": [theme()]}
    second = (await put(ingest, theme("price", examples=[]), theme("food", description=""))).json()
    assert (second["revision"], [one["id"] for one in second["themes"]]) == (2, ["price", "food"])
    assert await get_view(ingest) == await get_view(ingest, revision=2) == second
    assert await get_view(ingest, revision=1) == first


async def test_setting_the_same_themes_again_changes_nothing(ingest: IngestClient) -> None:
    first = (await put(ingest, theme(name=" Delivery "))).json()
    assert (await put(ingest, theme())).json() == first
    assert (await put(ingest, theme(), revision=0)).json() == first, "as if the first answer had been lost"
    rows = await ingest.app.state.reads.fetchval("SELECT count(*) FROM taxonomies WHERE tenant = $1", ingest.tenant)
    assert rows == 1


async def test_a_reset_is_a_revision_of_its_own(ingest: IngestClient) -> None:
    assert (await ingest.call("DELETE", "/v1/taxonomy")).json() == {"revision": 0, "themes": None}
    await put(ingest, theme())
    for _ in range(2):
        assert (await ingest.call("DELETE", "/v1/taxonomy")).json() == {"revision": 2, "themes": None}
    assert msgspec.json.decode((await get_internal(ingest)).content, type=TenantTaxonomy) == TenantTaxonomy(2)
    assert (await put(ingest, theme())).json()["revision"] == 3


async def test_a_change_based_on_a_superseded_revision_is_409(ingest: IngestClient) -> None:
    read = (await put(ingest, theme())).json()
    assert (await put(ingest, theme("price"), revision=1)).json()["revision"] == 2
    late = await ingest.call("PUT", "/v1/taxonomy", json=read | {"themes": [theme("food")]})
    assert (late.status_code, late.json()["detail"]) == (409, "revision 2 is current: read it and base the change on it")
    assert (await ingest.call("DELETE", "/v1/taxonomy?revision=1")).status_code == 409
    assert (await get_view(ingest))["themes"][0]["id"] == "price"
    assert (await ingest.call("DELETE", "/v1/taxonomy?revision=2")).json()["revision"] == 3


async def test_concurrent_changes_get_consecutive_revisions(ingest: IngestClient) -> None:
    answers = await asyncio.gather(*(put(ingest, theme(f"t{n}")) for n in range(20)))
    by_revision = {answer.json()["revision"]: answer.json() for answer in answers}
    assert sorted(by_revision) == list(range(1, 21))
    assert [await get_view(ingest, revision=n) for n in by_revision] == list(by_revision.values())


async def test_of_concurrent_changes_based_on_one_revision_one_succeeds(ingest: IngestClient) -> None:
    answers = await asyncio.gather(*(put(ingest, theme(f"t{n}"), revision=0) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    [done] = [answer.json() for answer in answers if answer.status_code == 200]
    assert await get_view(ingest) == done


async def test_concurrent_equal_changes_store_one_row(ingest: IngestClient) -> None:
    answers = await asyncio.gather(*(put(ingest, theme()) for _ in range(8)))
    assert {answer.json()["revision"] for answer in answers} == {1}


async def test_identities_are_redacted_before_they_are_stored(ingest: IngestClient) -> None:
    original = theme(description="Ask anna@example.com", examples=["Call me on +49 30 901820, please"])
    [stored] = (await put(ingest, original)).json()["themes"]
    assert (stored["description"], stored["examples"]) == ("Ask [email]", ["Call me on [phone], please"])
    assert b"901820" not in (await get_internal(ingest)).content


async def test_the_internal_route_returns_the_current_taxonomy_with_an_etag(ingest: IngestClient) -> None:
    await put(ingest, theme())
    first = await get_internal(ingest)
    expected = TenantTaxonomy(1, (ThemeDefinition("delivery", "Delivery", "Parcels that come late", ("Still not here",)),))
    assert msgspec.json.decode(first.content, type=TenantTaxonomy) == expected
    again = await get_internal(ingest, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    await put(ingest, theme("price"))
    assert (await get_internal(ingest, first.headers["etag"])).status_code == 200


async def test_no_tenant_sees_or_changes_anothers(ingest: IngestClient) -> None:
    other = replace(ingest, tenant=f"{ingest.tenant}-b")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    mine = (await put(ingest, theme())).json()
    assert await get_view(other) == {"revision": 0, "themes": None}
    assert (await other.call("GET", "/v1/taxonomy?revision=1")).status_code == 404
    assert (await other.call("DELETE", "/v1/taxonomy")).json()["revision"] == 0
    theirs = (await put(other, theme("price"))).json()
    assert theirs["revision"] == 1
    assert (await put(other, theme("food"))).json()["revision"] == 2
    assert await get_view(ingest) == await get_view(ingest, revision=1) == mine
    assert await get_view(other, revision=1) == theirs
    assert [msgspec.json.decode((await get_internal(one)).content)["revision"] for one in (ingest, other)] == [1, 2]


async def test_an_unknown_tenant_can_set_nothing(ingest: IngestClient) -> None:
    stranger = replace(ingest, tenant="somebody-else")
    for answer in (await put(stranger, theme()), await stranger.call("DELETE", "/v1/taxonomy")):
        assert answer.status_code == 404


async def test_it_needs_the_internal_token(ingest: IngestClient) -> None:
    for method, path in (
        ("GET", "/v1/taxonomy"),
        ("PUT", "/v1/taxonomy"),
        ("DELETE", "/v1/taxonomy"),
        ("GET", f"/internal/taxonomies/{ingest.tenant}"),
    ):
        assert (await ingest.http.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "themes"),
        ({"themes": []}, "themes"),
        ({"themes": None}, "themes"),
        ({"themes": [theme(f"t{n}") for n in range(61)]}, "themes"),
        ({"themes": [theme(), theme()]}, "themes"),
        ({"themes": [theme("Delivery")]}, "themes.0.id"),
        ({"themes": [theme("1st")]}, "themes.0.id"),
        ({"themes": [theme("a" * 41)]}, "themes.0.id"),
        ({"themes": [theme("a\n")]}, "themes.0.id"),
        ({"themes": [theme(), theme("price", name="  ")]}, "themes.1.name"),
        ({"themes": [theme(name="x" * 81)]}, "themes.0.name"),
        ({"themes": [theme(name="two\nlines")]}, "themes.0.name"),
        ({"themes": [theme(description="x" * 501)]}, "themes.0.description"),
        ({"themes": [theme(examples=["x"] * 41)]}, "themes.0.examples"),
        ({"themes": [theme(examples=["x", "y" * 501])]}, "themes.0.examples.1"),
        ({"themes": [theme(examples=[" "])]}, "themes.0.examples.0"),
        ({"themes": [theme(description=" ", examples=[])]}, "themes.0"),
        ({"themes": [{"id": "a", "name": "A"}]}, "themes.0"),
        ({"themes": [theme(colour="red")]}, "themes.0.colour"),
        ({"themes": [theme()], "revision": -1}, "revision"),
        ({"themes": [theme()], "revision": "1"}, "revision"),
        ({"themes": [theme()], "revision": 2**31}, "revision"),
    ],
)
async def test_an_invalid_taxonomy_is_422_with_the_place_and_changes_nothing(ingest: IngestClient, body: Any, place: str) -> None:
    answer = await ingest.call("PUT", "/v1/taxonomy", json=body)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [place]
    assert (await get_view(ingest))["revision"] == 0


async def test_the_largest_allowed_taxonomy_is_accepted(ingest: IngestClient) -> None:
    largest = [theme(f"t{n}", name="n" * 80, description="d" * 420, examples=["e" * 500] * 3) for n in range(50)]
    assert (await put(ingest, *largest)).json()["themes"] == largest


async def test_too_many_characters_are_422(ingest: IngestClient) -> None:
    large = [theme(f"t{n}", description="d" * 500, examples=["e" * 500] * 40) for n in range(5)]
    answer = await ingest.call("PUT", "/v1/taxonomy", json={"themes": large})
    assert answer.status_code == 422
    [param] = answer.json()["invalid_params"]
    assert param["name"] == "themes"
    assert "102540 characters in all, at most 100000" in param["reason"]


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("PUT", "/v1/taxonomy", b'{"themes": [{"id": "a", "name": "A", "description": "\\u0000"}]}'),
        ("PUT", "/v1/taxonomy", b'{"themes": ['),
        ("PUT", "/v1/taxonomy?colour=blue", b"{}"),
        ("GET", "/v1/taxonomy?colour=blue", None),
        ("GET", "/v1/taxonomy?revision=latest", None),
        ("DELETE", "/v1/taxonomy?revision=-1", None),
    ],
)
async def test_an_unreadable_request_is_400(ingest: IngestClient, method: str, path: str, content: bytes | None) -> None:
    assert (await ingest.call(method, path, content=content)).status_code == 400


@pytest.mark.parametrize("revision", ["1", "99999999999", "2147483648"])
async def test_an_unknown_revision_is_404(ingest: IngestClient, revision: str) -> None:
    assert (await ingest.call("GET", f"/v1/taxonomy?revision={revision}")).status_code == 404


@pytest.mark.parametrize("tenant", ["%00", "UPPER", "a" * 41])
async def test_an_invalid_tenant_id_is_422(ingest: IngestClient, tenant: str) -> None:
    assert (await ingest.http.get(f"/internal/taxonomies/{tenant}", headers=INTERNAL)).status_code == 422
