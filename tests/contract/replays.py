"""A fake of ingest's replays."""

from datetime import datetime

from shared.kafka import Retry


class Replays:
    """Records the requests for a replay. Fails the first `refusals` of them."""

    def __init__(self, refusals: int = 0) -> None:
        self.requests: list[datetime | None] = []
        self.refusals = refusals

    async def __call__(self, since: datetime | None) -> None:
        self.requests.append(since)
        if len(self.requests) <= self.refusals:
            raise Retry(0.2, "ingest is unavailable")
