"""The demo's history: 90 days of surveys and tickets, a pure function of a seed and of the end of the history."""

import random
from datetime import datetime
from typing import Any

from deploy.local.demo.story import Story, moments
from deploy.local.demo.surveys import response
from deploy.local.demo.tickets import as_of, ticket

SEED = 20
RESPONSES_A_DAY, TICKETS_A_DAY = 36.0, 25.0

Record = dict[str, Any]


def history(until: datetime, seed: int = SEED) -> list[tuple[str, Record]]:
    """(provider of the connection, canonical record) of each subject, by time."""
    responses = [response(seed, n, at, Story(until)) for n, at in enumerate(instants(until, seed, "response", RESPONSES_A_DAY))]
    opened = [("zendesk", as_of(record, until)) for record in tickets(until, seed)]
    return sorted([*responses, *opened], key=lambda item: (item[1]["at"], item[1]["id"]))


def tickets(until: datetime, seed: int = SEED) -> list[Record]:
    """The tickets with all of their facts, also those after `until`."""
    records = (ticket(seed, n, at, Story(until)) for n, at in enumerate(instants(until, seed, "ticket", TICKETS_A_DAY)))
    return [record for record in records if record]


def instants(until: datetime, seed: int, kind: str, per_day: float) -> list[datetime]:
    """Instants at which records of one kind arise; a seed always gives the same ones."""
    return moments(random.Random(f"{seed}/{kind}"), until, per_day)
