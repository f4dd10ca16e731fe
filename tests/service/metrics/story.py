"""Feedback of two days for the tests of verification: answers, tickets, an edit, an erasure, judgements and scores."""

from shared.events import Event, Label, Opened, Override, ScoreEvent, StatusSet, Ticket, text_hash
from tests.service.metrics.database import erasure, lists_of, score_of, statement, survey_response
from tests.service.metrics.verification import ago
from tests.unit.metrics.build import csat, nps, words


def story() -> tuple[list[Event], list[ScoreEvent]]:
    """Answers and tickets of the last days, a comment on every other one, an edit, and an erasure."""
    events = [
        survey_response(
            n,
            nps(n % 11),
            csat(n % 5 + 1),
            *([words(f"comment {n}")] if n % 2 else []),
            at=ago(n * 1.3),
            customer=f"p{n % 5}",
            dimensions={"region": ["DE", "FR"][n % 2], "channel": "email"},
        )
        for n in range(1, 40)
    ]
    events += [
        statement(
            f"c2/ticket/{n}",
            Ticket(facts=(Opened(at=ago(n * 2.6)), *([StatusSet(at=ago(n * 2.6 - 2), status="solved")] if n % 3 else []))),
            at=ago(n * 2.6 - 2),
            seq=100 + n,
            source="zendesk",
            dimensions={"team": ["billing", "tech"][n % 2]},
        )
        for n in range(1, 20)
    ]
    events += [
        survey_response(7, nps(10), words("comment 7 edited"), at=ago(7 * 1.3), revision=2),
        erasure("c1/response/9", ago(1)),
    ]
    judged: list[tuple[int, Label | None]] = [(1, "negative"), (5, "positive"), (5, None), (7, "neutral"), (9, "negative")]
    events += [
        statement(f"c1/response/{n}", Override(comment=text_hash(f"comment {n}"), label=label), at=ago(1), seq=200 + place)
        for place, (n, label) in enumerate(judged)
    ]
    texts = {n: f"comment {n}" for n in range(1, 40, 2) if n != 9} | {7: "comment 7 edited"}
    return events, [score_of(f"c1/response/{n}", text, n / 50, **lists_of(n)) for n, text in texts.items()]
