"""Live events after the history: posted as signed webhooks at ingest's front door, as the tools themselves would.

The tickets that the history left open go on at their own times; new surveys and chats begin every few seconds, and a chat lives
through minutes what other tickets live through in hours.
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
"""Seconds between two events, at least and at most."""
CHAT_PACE = 1 / 12
NEW_CHAT = 0.12
"""How many of the new subjects are tickets; the others are surveys."""
CHAT_LIFE = 12 * 3600
"""Seconds after which a chat is closed for certain."""
TRIES = 8


@dataclass(order=True, frozen=True)
class Delivery:
    """What a tool is to post at `due`."""

    due: datetime
    id: str
    provider: str = field(compare=False)
    payload: Record = field(compare=False)


async def trickle(settings: Settings, tenant: DemoTenant, until: datetime, http: httpx.AsyncClient) -> None:
    """Post events for ever; `until` is when the history ended."""
    async for delivery in deliveries(until, settings.chats_file, random.Random()):
        await deliver(delivery, tenant, http)


async def deliveries(until: datetime, chats: Path, rng: random.Random) -> AsyncIterator[Delivery]:
    """One delivery every few seconds: what is due of the tickets under way, else something new.

    `chats` is the file that remembers the chats under way.
    """
    story = Story(until)
    waiting = await asyncio.to_thread(left_over, until)
    waiting += [delivery for number in remembered(chats) for delivery in chat_deliveries(number, story)]
    heapq.heapify(waiting)
    while True:
        await asyncio.sleep(rng.uniform(*PAUSE))
        now = datetime.now(UTC)
        if waiting and waiting[0].due <= now and rng.random() < 0.6:
            yield heapq.heappop(waiting)
            continue
        number = time.time_ns() // 1_000_000
        if rng.random() < NEW_CHAT:
            remember(chats, number)
            for delivery in chat_deliveries(number, story):
                heapq.heappush(waiting, delivery)
        else:
            yield survey_delivery(number, story)


def left_over(until: datetime) -> list[Delivery]:
    """What is still to happen to the history's tickets. Sent again after a restart, it bears the same ids, and counts once."""
    return [delivery for record in tickets(until) for delivery in ticket_deliveries(record) if delivery.due > until]


def chat_deliveries(number: int, story: Story) -> list[Delivery]:
    """A chat that begins at `number`, unix milliseconds: the same whenever it is asked for."""
    record = ticket(SEED, number, moment(number), story, channel="chat", pace=CHAT_PACE)
    return ticket_deliveries(record) if record else []


def survey_delivery(number: int, story: Story) -> Delivery:
    """A survey answered at `number`, unix milliseconds."""
    provider, record = response(SEED, number, moment(number), story)
    payload = typeform.payload(record) if provider == "typeform" else envelope(record)
    return Delivery(moment(number), uuid.uuid4().hex, provider, payload)


def remembered(chats: Path) -> list[int]:
    """The chats that may still be under way."""
    oldest = (time.time() - CHAT_LIFE) * 1000
    return [number for number in read_json(chats).get("begun", ()) if number > oldest]


def remember(chats: Path, number: int) -> None:
    """Keep the chat in mind, so that it goes on after a restart: the events that it has had are dropped as duplicates."""
    replace_json(chats, {"begun": [*remembered(chats), number]})


def moment(number: int) -> datetime:
    return datetime.fromtimestamp(number / 1000, UTC)


def ticket_deliveries(record: Record) -> list[Delivery]:
    return [Delivery(at, event["id"], "zendesk", event) for at, event in zendesk.events(record)]


def envelope(record: Record) -> Record:
    """A canonical record as Standard Webhooks carry it."""
    return {"type": "feedback.received", "timestamp": record["at"], "data": record}


async def deliver(delivery: Delivery, tenant: DemoTenant, http: httpx.AsyncClient) -> bool:
    """Post it, signed anew at each try, until it is taken or has been tried often enough, as tools do. True: it was taken."""
    connection = tenant.connection(delivery.provider)
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    for attempt in range(TRIES):
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
