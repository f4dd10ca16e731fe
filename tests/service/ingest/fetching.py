"""A connection to SurveyMonkey and a local server in the place of its API."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.fake_tool_api import FakeToolApi
from tests.service.ingest.client import IngestClient
from tests.unit.ingest.surveymonkey_documents import event

SECRET = "client-id&client-secret"
TOKEN = "the-access-token"
SURVEY = "/v3/surveys/405723396/details"
COLLECTOR_PATH = "/v3/collectors/50253586"
RESPONSES = count(1)


def details(response: str) -> str:
    """The path of a response."""
    return f"/v3/surveys/405723396/responses/{response}/details"


@dataclass
class Fetching:
    """A connection to SurveyMonkey, an ingest that calls `api`, and a response that `api` has."""

    ingest: IngestClient
    api: FakeToolApi
    connection: dict[str, Any]
    response: str

    @property
    def path(self) -> str:
        return details(self.response)

    async def deliver(self, event_type: str = "response_completed", second: int = 0, response: str | None = None) -> str:
        """Post a webhook about the response. Returns the status."""
        at = f"2026-11-20T10:00:{second:02}+00:00"
        body = event(event_type, object_id=response or self.response, event_datetime=at)
        answer = await self.ingest.deliver(self.connection, body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["status"])

    async def health(self) -> dict[str, Any]:
        view = (await self.ingest.call("GET", f"/v1/connections/{self.connection['id']}")).json()
        return dict(view["health"])

    async def change(self, **changes: Any) -> dict[str, Any]:
        answer = await self.ingest.call("PATCH", f"/v1/connections/{self.connection['id']}", json=changes)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def quarantined(self) -> list[dict[str, Any]]:
        return list((await self.ingest.call("GET", "/v1/quarantine")).json()["items"])

    async def has_events(self, number: int = 1) -> bool:
        return len(await self.ingest.events()) >= number

    async def is_quarantined(self) -> bool:
        return bool(await self.quarantined())

    async def is_idle(self) -> bool:
        return (await self.health())["api"]["waiting"] == 0

    async def is_called(self, times: int = 1) -> bool:
        return self.api.paths().count(self.path) >= times

    async def is_blocked(self) -> bool:
        return (await self.health())["api"]["blocked_until"] is not None

    async def is_stopped(self) -> bool:
        return (await self.health())["api"]["stopped"] is not None

    async def has_error(self) -> bool:
        return (await self.health())["api"]["last_error"] is not None
