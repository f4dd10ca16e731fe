"""The waits of a customer for further replies.

A wait begins with the first public message of the customer after a public message of a human agent, and ends with the next public
message of a human agent, or with a solve. Bots, and further messages of the customer, make no difference.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class Wait(NamedTuple):
    """A wait since the customer's message. `replied`: when it was answered; `solved`: when a solve ended it without a reply."""

    since: datetime
    replied: datetime | None = None
    solved: datetime | None = None


class Turn(IntEnum):
    """The events that waits depend on, in the order of events that have one time: a reply answers a message of its time."""

    MESSAGE = 1
    REPLY = 2
    SOLVE = 3


def waits_of(
    messages: Iterable[datetime], replies: Iterable[datetime], solves: Iterable[datetime], *, opened_by_agent: bool
) -> Iterator[Wait]:
    """The waits in order of time; the last may have no end.

    `messages` are the times of the customer's public messages after the opening, `replies` those of human agents.
    `opened_by_agent`: a human agent opened the ticket in public, which is a first message.
    """
    questions = [(at, Turn.MESSAGE) for at in messages]
    if not questions:
        return
    since: datetime | None = None
    agent_was_last = opened_by_agent
    turns = [
        *questions,
        *((at, Turn.REPLY) for at in replies),
        *((at, Turn.SOLVE) for at in solves),
    ]
    for at, turn in sorted(turns):
        match turn:
            case Turn.MESSAGE if agent_was_last:
                since, agent_was_last = at, False
            case Turn.REPLY:
                if since is not None:
                    yield Wait(since, replied=at)
                since, agent_was_last = None, True
            case Turn.SOLVE if since is not None:
                yield Wait(since, solved=at)
                since = None
    if since is not None:
        yield Wait(since)
