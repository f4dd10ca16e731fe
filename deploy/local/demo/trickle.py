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

import httpx

from deploy.local.demo import typeform, zendesk
from deploy.local.demo.history import SEED, Record, tickets
from deploy.local.demo.signing import SIGN
from deploy.local.demo.story import Story
from deploy.local.demo.surveys import response
from deploy.local.demo.tenant import DemoTenant
from deploy.local.demo.tickets import ticket

PAUSE = (1.0, 3.0)
"""Seconds between two events, at least and at most."""
CHAT_PACE = 1 / 12
NEW_CHAT = 0.2
"""How many of the new subjects are tickets; the others are surveys."""
TRIES = 8


@dataclass(order=True, frozen=True)
class Delivery:
    """What a tool is to post at `due`."""

    due: datetime
    id: str
    provider: str = field(compare=False)
    payload: Record = field(compare=False)


async def trickle(tenant: DemoTenant, until: datetime, http: httpx.AsyncClient) -> None:
    """Post events for ever; `until` is when the history ended."""
    async for delivery in deliveries(until, random.Random()):
        await deliver(delivery, tenant, http)


async def deliveries(until: datetime, rng: random.Random) -> AsyncIterator[Delivery]:
    """One delivery every few seconds: what is due of the tickets under way, else something new."""
    story = Story(until)
    waiting = await asyncio.to_thread(left_over, until)
    heapq.heapify(waiting)
    while True:
        await asyncio.sleep(rng.uniform(*PAUSE))
        now = datetime.now(UTC)
        if waiting and waiting[0].due <= now and rng.random() < 0.6:
            yield heapq.heappop(waiting)
            continue
        for delivery in something_new(rng, now, story):
            heapq.heappush(waiting, delivery)
        while waiting and waiting[0].due <= now:
            yield heapq.heappop(waiting)


def left_over(until: datetime) -> list[Delivery]:
    """What is still to happen to the history's tickets. Sent again after a restart, it bears the same ids, and counts once."""
    return [delivery for record in tickets(until) for delivery in ticket_deliveries(record) if delivery.due > until]


def something_new(rng: random.Random, now: datetime, story: Story) -> list[Delivery]:
    """The deliveries of a new subject, from now on."""
    number = time.time_ns() // 1_000_000
    if rng.random() < NEW_CHAT:
        record = ticket(SEED, number, now, story, channel="chat", pace=CHAT_PACE)
        return ticket_deliveries(record) if record else []
    provider, record = response(SEED, number, now, story)
    payload = typeform.payload(record) if provider == "typeform" else envelope(record)
    return [Delivery(now, uuid.uuid4().hex, provider, payload)]


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
