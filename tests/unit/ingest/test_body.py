"""Bodies are bounded however they come: in one piece or in many, with or without their length told."""

from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from services.ingest.api.body import MOST_HEARD, read_body
from shared.problems import TooLarge

LIMIT = 10


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
    assert await read_body({}, Client(*pieces).receive, LIMIT) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [[b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x"], [b"x" * LIMIT, b"x", b""], [b"x"] * 50])
async def test_what_is_too_long_is_heard_to_its_end_and_refused(pieces: list[bytes]) -> None:
    client = Client(*pieces)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, LIMIT)
    assert client.left == []


async def test_nobody_is_heard_for_ever() -> None:
    client = Client(*[b"x" * (MOST_HEARD // 4)] * 20)
    with pytest.raises(TooLarge):
        await read_body({}, client.receive, LIMIT)
    assert len(client.left) == 15


@pytest.mark.parametrize(("told", "heard"), [(MOST_HEARD + 1, False), (MOST_HEARD, True), ("1" * 18, False), ("-1", True)])
async def test_who_tells_of_far_too_much_is_not_heard_at_all(told: object, heard: bool) -> None:
    client = Client(b"x" * (LIMIT + 1))
    with pytest.raises(TooLarge):
        await read_body({"content-length": str(told)}, client.receive, LIMIT)
    assert (client.left == []) is heard


async def test_a_client_that_hangs_up_has_said_nothing() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body({}, Client(b"xx", hangs_up=True).receive, LIMIT)
