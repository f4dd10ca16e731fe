"""Bodies are bounded however they come: in one piece or in many, with or without their length told."""

from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from services.ingest.api.body import MOST_HEARD, SMALL_BODY, BodyRoom, Share, read_body
from shared.problems import TooLarge, Unavailable

LIMIT = 10


def room(total: int = 10**9) -> Share:
    """Room for one body of a tenant."""
    return Share(BodyRoom(total, total), "acme")


class Client:
    """Sends `pieces`; `left` are those that nobody wanted to hear."""

    def __init__(self, *pieces: bytes, hangs_up: bool = False) -> None:
        last = {"type": "http.disconnect"} if hangs_up else {"type": "http.request", "body": pieces[-1]}
        self.left: list[dict[str, Any]] = [
            *({"type": "http.request", "body": piece, "more_body": True} for piece in pieces[: None if hangs_up else -1]),
            last,
        ]

    async def receive(self) -> dict[str, Any]:
        return self.left.pop(0)


@pytest.mark.parametrize("pieces", [[b"x" * LIMIT], [b"xxx", b"xxx", b"xxxx"], [b"x" * LIMIT, b""], [b""]])
async def test_what_fits_is_read_whole(pieces: list[bytes]) -> None:
    assert await read_body({}, Client(*pieces).receive, room(), LIMIT) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [[b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x"], [b"x" * LIMIT, b"x", b""], [b"x"] * 50])
async def test_what_is_too_long_is_heard_to_its_end_and_refused(pieces: list[bytes]) -> None:
    client = Client(*pieces)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, room(), LIMIT)
    assert client.left == []


async def test_nobody_is_heard_for_ever() -> None:
    client = Client(*[b"x" * (MOST_HEARD // 4)] * 20)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, room(), LIMIT)
    assert len(client.left) == 15


@pytest.mark.parametrize(("told", "heard"), [(MOST_HEARD + 1, False), (MOST_HEARD, True), ("1" * 18, False), ("-1", True)])
async def test_who_tells_of_far_too_much_is_not_heard_at_all(told: object, heard: bool) -> None:
    client = Client(b"x" * (LIMIT + 1))
    with pytest.raises(TooLarge):
        await read_body({"content-length": str(told)}, client.receive, room(), LIMIT)
    assert (client.left == []) is heard


async def test_a_client_that_hangs_up_has_said_nothing() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body({}, Client(b"xx", hangs_up=True).receive, room(), LIMIT)


LARGE = SMALL_BODY * 2


@pytest.mark.parametrize("headers", [{"content-length": str(LARGE)}, {}])
async def test_large_bodies_under_way_are_bounded_by_tenant_and_in_all(headers: dict[str, str]) -> None:
    bodies = BodyRoom(total=3 * LARGE, per_tenant=2 * LARGE)

    async def read(tenant: str) -> Share:
        share = Share(bodies, tenant)
        await read_body(headers, Client(b"x" * SMALL_BODY, b"x" * SMALL_BODY).receive, share, LARGE)
        return share

    first, _ = await read("acme"), await read("acme")
    with pytest.raises(Unavailable) as refusal:
        await read("acme")
    assert refusal.value.headers == {"Retry-After": "2"}
    await read("other")
    with pytest.raises(Unavailable):
        await read("third")
    first.give_back()
    await read("third")


async def test_small_bodies_need_no_room() -> None:
    assert await read_body({}, Client(b"x" * SMALL_BODY).receive, room(total=0), SMALL_BODY) == b"x" * SMALL_BODY


async def test_room_is_given_back_however_reading_ends() -> None:
    bodies = BodyRoom(total=LARGE, per_tenant=LARGE)
    for client in (Client(b"x" * LARGE, hangs_up=True), Client(b"x" * LARGE, b"x"), Client(b"x" * LARGE)):
        with suppress(ClientDisconnect, TooLarge), bodies.share("acme") as share:
            await read_body({}, client.receive, share, LARGE)
    with bodies.share("acme") as share:
        share.hold(LARGE)
