"""Live events after the history, posted to ingest as signed webhooks.

The open tickets of the history go on at their own times. New surveys and chats start every few seconds; a chat takes minutes
where other tickets take hours.
"""

import asyncio
import heapq
import json
import random
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.demo import typeform, zendesk
from deploy.local.demo.history import SEED, Record, tickets
from deploy.local.demo.signing import SIGN
from deploy.local.demo.story import Story
from deploy.local.demo.surveys import response
from deploy.local.demo.tenant import DemoTenant
from deploy.local.demo.tickets import ticket
from deploy.local.files import read_json, replace_json
from deploy.local.settings import Settings

PAUSE = (1.0, 3.0)
"""Minimum and maximum seconds between two events."""
CHAT_PACE = 1 / 12
NEW_CHAT = 0.12
"""Share of chats among new subjects; the others are surveys."""
CHAT_LIFE = 12 * 3600
"""Seconds after which every chat is closed."""
ATTEMPTS = 8


@dataclass(order=True, frozen=True)
class Delivery:
    """A webhook that a tool posts at `due`."""

    due: datetime
    id: str
    provider: str = field(compare=False)
    payload: Record = field(compare=False)


async def trickle(settings: Settings, tenant: DemoTenant, until: datetime, http: httpx.AsyncClient) -> None:
    """Post events until cancelled. `until`: the end of the history."""
    async for delivery in deliveries(until, settings.chats_file, random.Random()):
        await deliver(delivery, tenant, http)


async def deliveries(until: datetime, chats: Path, rng: random.Random) -> AsyncIterator[Delivery]:
    """One delivery every few seconds: one that is due, else a new subject.

    `chats` is the file with the chats that are not closed.
    """
    story = Story(until)
    waiting = await asyncio.to_thread(remaining_deliveries, until)
    waiting += [delivery for number in load_chats(chats) for delivery in chat_deliveries(number, story)]
    heapq.heapify(waiting)
    while True:
        await asyncio.sleep(rng.uniform(*PAUSE))
        now = datetime.now(UTC)
        if waiting and waiting[0].due <= now and rng.random() < 0.6:
            yield heapq.heappop(waiting)
            continue
        number = time.time_ns() // 1_000_000
        if rng.random() < NEW_CHAT:
            save_chat(chats, number)
            for delivery in chat_deliveries(number, story):
                heapq.heappush(waiting, delivery)
        else:
            yield survey_delivery(number, story)


def remaining_deliveries(until: datetime) -> list[Delivery]:
    """The deliveries of the history's tickets after its end. They have the same ids after a restart, so that each counts once."""
    return [delivery for record in tickets(until) for delivery in ticket_deliveries(record) if delivery.due > until]


def chat_deliveries(number: int, story: Story) -> list[Delivery]:
    """The deliveries of a chat that starts at `number` (Unix milliseconds): the same at every call."""
    record = ticket(SEED, number, moment(number), story, channel="chat", pace=CHAT_PACE)
    return ticket_deliveries(record) if record else []


def survey_delivery(number: int, story: Story) -> Delivery:
    """The delivery of a survey that is answered at `number` (Unix milliseconds)."""
    provider, record = response(SEED, number, moment(number), story)
    payload = typeform.payload(record) if provider == "typeform" else envelope(record)
    return Delivery(moment(number), uuid.uuid4().hex, provider, payload)


def load_chats(chats: Path) -> list[int]:
    """Numbers of the chats that may not be closed yet."""
    oldest = (time.time() - CHAT_LIFE) * 1000
    return [number for number in read_json(chats).get("begun", ()) if number > oldest]


def save_chat(chats: Path, number: int) -> None:
    """Store a chat, so that it goes on after a restart; events that were already sent are dropped as duplicates."""
    replace_json(chats, {"begun": [*load_chats(chats), number]})


def moment(number: int) -> datetime:
    """When the chat `number` began: the number is a Unix time in milliseconds."""
    return datetime.fromtimestamp(number / 1000, UTC)


def ticket_deliveries(record: Record) -> list[Delivery]:
    """A delivery for each event of a ticket."""
    return [Delivery(at, event["id"], "zendesk", event) for at, event in zendesk.events(record)]


def envelope(record: Record) -> Record:
    """A canonical record as the payload of a Standard Webhook."""
    return {"type": "feedback.received", "timestamp": record["at"], "data": record}


async def deliver(delivery: Delivery, tenant: DemoTenant, http: httpx.AsyncClient) -> bool:
    """Post a delivery, up to ATTEMPTS times. Each attempt has a new signature. Returns whether it was accepted."""
    connection = tenant.connection(delivery.provider)
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    for attempt in range(ATTEMPTS):
        headers = SIGN[delivery.provider](connection["secret"], body, delivery.id, datetime.now(UTC))
        try:
            answer = await http.post(
                connection["hook_url"], content=body, headers={**headers, "content-type": "application/json"}
            )
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            return answer.is_success
        await asyncio.sleep(min(0.5 * 2**attempt, 10))
    return False
