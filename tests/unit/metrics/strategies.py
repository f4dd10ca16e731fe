"""Random statements, from so few values that times, ids and stamps often collide."""

from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET

from shared.events import (
    UNSUPPORTED_LANGUAGE,
    Answer,
    Assigned,
    Deleted,
    Event,
    Fact,
    Merged,
    Message,
    Opened,
    Override,
    PrioritySet,
    Rating,
    Response,
    Review,
    Score,
    Spam,
    StatusSet,
    ThemeScore,
    Ticket,
    Tombstone,
    Urgency,
    text_hash,
)
from tests.unit.metrics.build import at, statement

TEXTS = ("great", "never again", "it works", " ")
minutes = (st.integers(0, 12) | st.sampled_from([0.2, 3.7, 5.9])).map(at)
"""Whole minutes, and a few times with seconds."""
texts = st.none() | st.sampled_from(TEXTS)
names = st.sampled_from(["billing", "tech"])
parties: Any = st.sampled_from(["customer", "agent", "bot"])

openings = st.builds(Opened, at=(st.integers(0, 4) | st.just(0.7)).map(at), by=parties, text=texts)
statuses: Any = st.builds(
    StatusSet, at=minutes, status=st.sampled_from(["new", "open", "pending", "on_hold", "solved", "closed"])
)
assignees: Any = st.none() | names | st.just(UNSET)
assignments = st.builds(Assigned, at=minutes, team=assignees, agent=assignees)
messages = st.builds(
    Message,
    at=minutes,
    by=parties,
    public=st.booleans(),
    auto=st.booleans(),
    id=st.none() | st.sampled_from(["m1", "m2"]),
    text=texts,
)
priorities = st.builds(PrioritySet, at=minutes, priority=st.none() | st.sampled_from(["low", "high"]))
ratings = st.builds(Rating, at=minutes, value=st.none() | st.integers(1, 5), id=st.none() | st.sampled_from(["r1"]), text=texts)
drops = (
    st.builds(Merged, at=minutes, value=st.booleans())
    | st.builds(Spam, at=minutes, value=st.booleans())
    | st.builds(Deleted, at=minutes, value=st.booleans())
)
changes: st.SearchStrategy[Fact] = statuses | assignments | messages
facts: st.SearchStrategy[Fact] = openings | changes | priorities | ratings | drops

dimensions: Any = st.dictionaries(
    st.sampled_from(["team", "region", "priority"]), st.none() | st.sampled_from(["a", "b"]), max_size=2
)


def answer(question: str, kind: Any, value: int | None, text: str | None) -> Answer:
    return Answer(
        question=question, kind=kind, value=None if kind == "comment" else value, text=text if kind == "comment" else None
    )


answers = st.builds(
    answer,
    st.sampled_from(["q1", "q2"]),
    st.sampled_from(["nps", "csat", "ces", "comment"]),
    st.none() | st.integers(1, 5),
    texts,
)
responses = st.builds(Response, at=minutes, sent_at=st.none() | minutes, answers=st.lists(answers, max_size=3).map(tuple))
reviews = st.builds(
    Review,
    at=minutes,
    stars=st.none() | st.integers(1, 5),
    title=texts,
    text=texts,
    deleted=st.sampled_from([False, False, False, True]),
)
tickets = st.builds(Ticket, facts=st.lists(facts, max_size=5).map(tuple))
overrides: Any = st.builds(
    Override,
    comment=st.sampled_from([text_hash(text) for text in TEXTS]),
    label=st.none() | st.sampled_from(["positive", "neutral", "negative"]),
    themes=st.lists(st.sampled_from(["delivery", "billing"]), max_size=2).map(tuple),
)
tombstones = st.just(Tombstone())


def statements(bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Event]]:
    """Statements of one subject as an inbox may have numbered them. Their stamps may collide."""
    one = st.tuples(
        bodies, st.integers(1, 6), st.integers(1, 2), st.integers(0, 3), st.none() | st.sampled_from(["p1", "p2"]), dimensions
    )
    return st.lists(one, min_size=1, max_size=7).map(
        lambda drawn: [
            statement(seq, body, revision=revision, at=at(stamp), customer=customer, dimensions=dims)
            for body, seq, revision, stamp, customer, dims in drawn
        ]
    )


of_response = statements(responses | overrides)
of_review = statements(reviews | overrides)
of_ticket = statements(tickets | overrides)
of_any = of_response | of_review | of_ticket | statements(tickets | tombstones)


def score_of(
    text: str, value: float | None, model: str, themes: list[str], urgency: tuple[Urgency, ...], flags: tuple[str, ...]
) -> tuple[tuple[str, str], Score]:
    label: Any = None if value is None else "positive" if value > 0 else "negative" if value < 0 else "neutral"
    name = text_hash(text)
    return (model, name), Score(
        label=label,
        score=value,
        confidence=1.0,
        text_hash=name,
        themes=tuple(ThemeScore(theme, 0.0) for theme in themes),
        urgency=urgency,
        flags=flags,
    )


reasons: Any = st.sampled_from([(), ("outage",), ("safety", "outage")])
scores = st.lists(
    st.builds(
        score_of,
        st.sampled_from(TEXTS),
        st.none() | st.floats(-1, 1, allow_nan=False),
        st.sampled_from(["vader-3.3.2", "e5-4"]),
        st.lists(st.sampled_from(["delivery", "billing"]), max_size=2, unique=True),
        reasons,
        st.sampled_from([(), (UNSUPPORTED_LANGUAGE,)]),
    ),
    max_size=4,
).map(dict)
