"""A client of an installation that rehearses losses and upgrades: posts responses, waits until they are counted, verifies."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from services.ingest.replay import replay
from services.ingest.settings import Settings as IngestSettings
from services.metrics.clients.ingest import Ingest
from services.metrics.verify.verification import StackVerification
from shared.database import open_pool
from tests.e2e.stack import until
from tests.installation import MODEL, Installation
from tests.service.ingest.client import SECRET_KEY
from tests.service.metrics.verification import few

TOKEN = "internal-token-of-the-tests"
HEADERS = {"authorization": f"Bearer {TOKEN}", "x-earshot-tenant": "acme"}
PATIENCE = 30.0
COMMENT = "Setup took five minutes. Lovely."


@dataclass
class Rehearsal:
    """Posts responses with a comment to an installation, as a service of the tenant `acme`."""

    installation: Installation
    http: httpx.AsyncClient
    posted: set[str] = field(default_factory=set)

    async def post(self, *ids: str, value: int = 9) -> None:
        """Post a response under each id; a known id corrects the earlier response."""
        for number in ids:
            answer = await self.send(number, value)
            assert answer.status_code == 202, answer.text

    async def send(self, number: str, value: int = 9) -> httpx.Response:
        """Post a response under this id. If it is accepted, it must be counted."""
        answers = [
            {"question": "q1", "kind": "nps", "value": value},
            {"question": "q2", "kind": "comment", "text": f"{COMMENT} {number}", "language": "en"},
        ]
        body = {"type": "response", "id": number, "at": datetime.now(UTC).isoformat(), "answers": answers}
        answer = await self.http.post(f"{self.installation.url('ingest')}/v1/feedback", json=body)
        if answer.status_code == 202:
            self.posted.add(number)
        return answer

    async def count(self) -> int:
        """The number of responses that metrics counts."""
        answer = await self.http.get(f"{self.installation.url('metrics')}/v1/kpis/nps?window=24h")
        return int(answer.json()["rows"][0]["n"]) if answer.status_code == 200 else -1

    async def wait_until_counted(self) -> None:
        """Wait until metrics counts every posted response."""

        async def is_counted() -> bool:
            return await self.count() == len(self.posted)

        await until(is_counted)

    async def wait_until_published(self) -> None:
        """Wait until ingest's outbox is empty."""

        async def is_published() -> bool:
            head = await self.http.get(f"{self.installation.url('ingest')}/internal/head")
            return bool(head.json()["unpublished"] == 0)

        await until(is_published)

    async def create_tenant(self, *services: str) -> None:
        for service in services:
            url = f"{self.installation.url(service)}/internal/tenants/acme"
            assert (await self.http.put(url, json={"name": "Acme", "zone": "Europe/Berlin"})).status_code == 204

    async def replay(self, since: datetime | None) -> int:
        """Run the command `services.ingest.replay`."""
        settings = IngestSettings.model_validate(self.installation.settings("ingest") | {"secret_key": SECRET_KEY})
        return await replay(settings, None, since)

    async def differences(self, patience: float = PATIENCE) -> list[str]:
        """The differences that verify finds, by step. It waits for events on their way, for so many seconds without progress."""
        output: list[str] = []
        async with open_pool(self.installation.databases["metrics"], 2) as pool:
            ingest = httpx.AsyncClient(base_url=self.installation.url("ingest"), headers=HEADERS)
            metrics = httpx.AsyncClient(base_url=self.installation.url("metrics"), headers=HEADERS)
            async with ingest, metrics:
                steps = await StackVerification(Ingest(ingest), pool, metrics, MODEL, patience, output.append, few).run("acme")
        assert steps
        return [f"{step.name}: {difference}" for step in steps for difference in step.differences]


def ids(name: str, count: int = 20) -> list[str]:
    """Ids of responses."""
    return [f"{name}-{number}" for number in range(count)]
