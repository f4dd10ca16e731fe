"""The model: takes what was accepted, and answers queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.e2e.model.estimates import ESTIMATES, Value
from tests.e2e.model.facts import Dims, Fact, Record, Scorer, Subject, of_response, of_review, when
from tests.e2e.model.tickets import Ticket, of_ticket

FACTS_OF = {"response": of_response, "review": of_review, "ticket": of_ticket}
Group = tuple[str | None, ...]


class Ambiguous(Exception):
    """The definitions leave the answer open."""


@dataclass(frozen=True)
class Query:
    """A query but for its times. `filters`: a dimension to the values that pass, each with `!` before it to exclude it."""

    kpi: str
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agg: str = ""
    filed_by: str = ""
    per: str = ""

    def passes(self, dims: Dims) -> bool:
        for name, values in self.filters.items():
            own = dims.get(name) or "null"
            included = {value for value in values if not value.startswith("!")}
            if f"!{own}" in values or (included and own not in included):
                return False
        return True


class Model:
    def __init__(self, score: Scorer) -> None:
        self._score = score
        self._subjects: dict[str, Subject] = {}
        self._accepted = 0

    def accept(self, connection: str, source: str, record: Record, received: datetime) -> None:
        """The stamp is what the tool states of its edit, else the receipt; and after it the order of acceptance."""
        self._accepted += 1
        name = f"{connection}/{record['type']}/{record['id']}"
        at = when(record["updated_at"]) if "updated_at" in record else received
        said = self._subjects.setdefault(name, Subject(name)).said
        said.append(((at, self._accepted), record | {"_connection": connection, "_source": source}))

    def settle(self) -> None:
        """Everything is in: work out the facts."""
        subjects = self._subjects.values()
        self.facts = [fact for subject in subjects for fact in FACTS_OF[subject.type](subject, self._score)]
        self.facts_of: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            self.facts_of[fact.kind].append(fact)
        self.tickets = [Ticket(s) for s in subjects if s.type == "ticket" and Ticket.is_known(s)]

    def answer(self, query: Query, start: datetime, end: datetime) -> dict[Group, Value]:
        """What [start, end) comes to in each group that has something in it."""
        kinds, estimate = ESTIMATES[query.kpi]
        kinds = (query.filed_by,) if query.filed_by else kinds
        facts = self._backlog(end) if query.kpi == "backlog" else (f for kind in kinds for f in self.facts_of[kind])
        in_time = (fact for fact in facts if start <= fact.at < end or query.kpi == "backlog")
        chosen = [fact for fact in in_time if query.passes(fact.dims)]
        groups: defaultdict[Group, list[Fact]] = defaultdict(list)
        for fact in latest_of_each(chosen) if query.per else chosen:
            groups[tuple(fact.dims.get(name) for name in query.group_by)].append(fact)
        if not query.group_by:
            groups.setdefault((), [])
        return {
            group: estimate([[fact.value for fact in found if fact.kind == kind] for kind in kinds], query.agg)
            for group, found in groups.items()
        }

    def _backlog(self, t: datetime) -> Iterable[Fact]:
        for ticket in self.tickets:
            if ticket.is_open_just_before(t):
                yield Fact("backlog", t, 1, ticket.dims(t, just_before=True), None, ticket.subject.name)


def latest_of_each(facts: list[Fact]) -> list[Fact]:
    """One of each person, the latest by time, then subject; without a customer each counts alone."""
    named = sorted((f for f in facts if f.customer), key=lambda f: (f.at, f.subject))
    if len({(f.at, f.subject) for f in named}) < len(named):
        raise Ambiguous
    return [*{f.customer: f for f in named}.values(), *(replace(f) for f in facts if not f.customer)]
