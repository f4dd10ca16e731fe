"""A tenant's themes over HTTP: set, read, changed by two at once, taken back; kept apart from all others'."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest

from shared.taxonomy import TenantTaxonomy, ThemeDefinition
from tests.service.ingest.door import TOKEN, Door

INSIDE = {"authorization": f"Bearer {TOKEN}"}


def theme(id: str = "delivery", **fields: Any) -> dict[str, Any]:
    return {"id": id, "name": "Delivery", "description": "Parcels that come late", "examples": ["Still not here"], **fields}


async def put(door: Door, *themes: dict[str, Any], **fields: Any) -> httpx.Response:
    return await door.call("PUT", "/v1/taxonomy", json={"themes": themes, **fields})


async def shown(door: Door, **query: Any) -> Any:
    answer = await door.call("GET", "/v1/taxonomy", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(door: Door, tag: str = "") -> httpx.Response:
    """What sentiment is told."""
    return await door.http.get(f"/internal/taxonomies/{door.tenant}", headers={**INSIDE, "if-none-match": tag})


async def test_until_a_tenant_sets_its_own_the_themes_that_ship_are_revision_0(door: Door) -> None:
    assert await shown(door) == await shown(door, revision=0) == {"revision": 0, "themes": None}
    assert msgspec.json.decode((await told(door)).content, type=TenantTaxonomy) == TenantTaxonomy(0)


async def test_what_is_set_is_in_force_and_what_was_before_stays_readable(door: Door) -> None:
    first = (await put(door, theme())).json()
    assert first == {"revision": 1, "themes": [theme()]}
    second = (await put(door, theme("price", examples=[]), theme("food", description=""))).json()
    assert (second["revision"], [one["id"] for one in second["themes"]]) == (2, ["price", "food"])
    assert await shown(door) == await shown(door, revision=2) == second
    assert await shown(door, revision=1) == first


async def test_saying_the_same_again_changes_nothing(door: Door) -> None:
    first = (await put(door, theme(name=" Delivery "))).json()
    assert (await put(door, theme())).json() == first
    assert (await put(door, theme(), revision=0)).json() == first, "as if the first answer had been lost"
    rows = await door.app.state.reads.fetchval("SELECT count(*) FROM taxonomies WHERE tenant = $1", door.tenant)
    assert rows == 1


async def test_going_back_to_what_ships_is_a_revision_of_its_own(door: Door) -> None:
    assert (await door.call("DELETE", "/v1/taxonomy")).json() == {"revision": 0, "themes": None}
    await put(door, theme())
    for _ in range(2):
        assert (await door.call("DELETE", "/v1/taxonomy")).json() == {"revision": 2, "themes": None}
    assert msgspec.json.decode((await told(door)).content, type=TenantTaxonomy) == TenantTaxonomy(2)
    assert (await put(door, theme())).json()["revision"] == 3


async def test_a_change_of_a_revision_that_is_no_longer_in_force_is_409(door: Door) -> None:
    read = (await put(door, theme())).json()
    assert (await put(door, theme("price"), revision=1)).json()["revision"] == 2
    late = await door.call("PUT", "/v1/taxonomy", json=read | {"themes": [theme("food")]})
    assert (late.status_code, late.json()["detail"]) == (409, "revision 2 is current: read it and base the change on it")
    assert (await door.call("DELETE", "/v1/taxonomy?revision=1")).status_code == 409
    assert (await shown(door))["themes"][0]["id"] == "price"
    assert (await door.call("DELETE", "/v1/taxonomy?revision=2")).json()["revision"] == 3


async def test_of_many_at_once_each_gets_a_revision_and_none_is_missing(door: Door) -> None:
    answers = await asyncio.gather(*(put(door, theme(f"t{n}")) for n in range(20)))
    by_revision = {answer.json()["revision"]: answer.json() for answer in answers}
    assert sorted(by_revision) == list(range(1, 21))
    assert [await shown(door, revision=n) for n in by_revision] == list(by_revision.values())


async def test_of_many_that_change_the_same_revision_one_does(door: Door) -> None:
    answers = await asyncio.gather(*(put(door, theme(f"t{n}"), revision=0) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    [done] = [answer.json() for answer in answers if answer.status_code == 200]
    assert await shown(door) == done


async def test_of_many_that_say_the_same_at_once_one_row_is_left(door: Door) -> None:
    answers = await asyncio.gather(*(put(door, theme()) for _ in range(8)))
    assert {answer.json()["revision"] for answer in answers} == {1}


async def test_identities_are_redacted_before_they_are_kept(door: Door) -> None:
    given = theme(description="Ask anna@example.com", examples=["Call me on +49 30 901820, please"])
    [kept] = (await put(door, given)).json()["themes"]
    assert (kept["description"], kept["examples"]) == ("Ask [email]", ["Call me on [phone], please"])
    assert b"901820" not in (await told(door)).content


async def test_sentiment_is_told_what_is_in_force_and_told_once(door: Door) -> None:
    await put(door, theme())
    first = await told(door)
    expected = TenantTaxonomy(1, (ThemeDefinition("delivery", "Delivery", "Parcels that come late", ("Still not here",)),))
    assert msgspec.json.decode(first.content, type=TenantTaxonomy) == expected
    again = await told(door, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    await put(door, theme("price"))
    assert (await told(door, first.headers["etag"])).status_code == 200


async def test_no_tenant_sees_or_changes_anothers(door: Door) -> None:
    other = replace(door, tenant=f"{door.tenant}-b")
    await other.call("PUT", f"/internal/tenants/{other.tenant}", json={"name": "Other", "zone": "UTC"})
    mine = (await put(door, theme())).json()
    assert await shown(other) == {"revision": 0, "themes": None}
    assert (await other.call("GET", "/v1/taxonomy?revision=1")).status_code == 404
    assert (await other.call("DELETE", "/v1/taxonomy")).json()["revision"] == 0
    theirs = (await put(other, theme("price"))).json()
    assert theirs["revision"] == 1
    assert (await put(other, theme("food"))).json()["revision"] == 2
    assert await shown(door) == await shown(door, revision=1) == mine
    assert await shown(other, revision=1) == theirs
    assert [msgspec.json.decode((await told(one)).content)["revision"] for one in (door, other)] == [1, 2]


async def test_an_unknown_tenant_can_set_nothing(door: Door) -> None:
    stranger = replace(door, tenant="somebody-else")
    for answer in (await put(stranger, theme()), await stranger.call("DELETE", "/v1/taxonomy")):
        assert answer.status_code == 404


async def test_it_is_shut_to_others(door: Door) -> None:
    for method, path in (
        ("GET", "/v1/taxonomy"),
        ("PUT", "/v1/taxonomy"),
        ("DELETE", "/v1/taxonomy"),
        ("GET", f"/internal/taxonomies/{door.tenant}"),
    ):
        assert (await door.http.request(method, path)).status_code == 401


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
async def test_what_is_no_taxonomy_is_422_with_the_place_and_changes_nothing(door: Door, body: Any, place: str) -> None:
    answer = await door.call("PUT", "/v1/taxonomy", json=body)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [place]
    assert (await shown(door))["revision"] == 0


async def test_the_largest_that_is_allowed_is_taken(door: Door) -> None:
    largest = [theme(f"t{n}", name="n" * 80, description="d" * 420, examples=["e" * 500] * 3) for n in range(50)]
    assert (await put(door, *largest)).json()["themes"] == largest


async def test_more_characters_than_sentiment_can_soon_read_are_422(door: Door) -> None:
    large = [theme(f"t{n}", description="d" * 500, examples=["e" * 500] * 40) for n in range(5)]
    answer = await door.call("PUT", "/v1/taxonomy", json={"themes": large})
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
async def test_what_cannot_be_read_is_400(door: Door, method: str, path: str, content: bytes | None) -> None:
    assert (await door.call(method, path, content=content)).status_code == 400


@pytest.mark.parametrize("revision", ["1", "99999999999", "2147483648"])
async def test_a_revision_that_never_was_is_404(door: Door, revision: str) -> None:
    assert (await door.call("GET", f"/v1/taxonomy?revision={revision}")).status_code == 404


@pytest.mark.parametrize("tenant", ["%00", "UPPER", "a" * 41])
async def test_what_is_no_tenants_id_is_not_looked_up(door: Door, tenant: str) -> None:
    assert (await door.http.get(f"/internal/taxonomies/{tenant}", headers=INSIDE)).status_code == 422
