"""The model: it accepts records and answers KPI queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product

from tests.e2e.model import dbt_zendesk
from tests.e2e.model.estimates import ESTIMATES, Value
from tests.e2e.model.facts import Fact, Record, Scorer, Subject, of_response, of_review, when
from tests.e2e.model.impact import impacts
from tests.e2e.model.presets import DEFAULTS, kind_under
from tests.e2e.model.tickets import Ticket, of_ticket

FACTS_OF = {"response": of_response, "review": of_review, "ticket": of_ticket}
FILED_BY = {("next_reply_time", "replied"): "next_replied", ("next_reply_time", "asked"): "next_asked"}
"""The kind of fact that `filed_by` selects, where it has another name."""
Group = tuple[str | None, ...]


class Ambiguous(Exception):
    """The definitions allow more than one answer."""


@dataclass(frozen=True)
class Query:
    """A query without its times. `filters`: the values of a dimension to include, or to exclude after a `!`."""

    kpi: str
    group_by: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agg: str = ""
    filed_by: str = ""
    per: str = ""
    hours: str = ""
    preset: str = ""

    def passes(self, fact: Fact) -> bool:
        for name, values in self.filters.items():
            own = {value or "null" for value in fact.values(name)}
            included = {value for value in values if not value.startswith("!")}
            if any(f"!{value}" in values for value in own) or (included and included.isdisjoint(own)):
                return False
        return True


class Model:
    def __init__(self, score: Scorer) -> None:
        self._score = score
        self._subjects: dict[str, Subject] = {}
        self._accepted = 0

    def accept(self, connection: str, source: str, record: Record, received: datetime) -> None:
        """Add a record. Its stamp is the time of the tool's edit, else the receipt, and then the order of acceptance."""
        self._accepted += 1
        if record["type"] == "override":
            subject = self._subject(record["subject"])
            subject.overrides.append(((when(record["at"]), self._accepted), record))
            return
        at = when(record["updated_at"]) if "updated_at" in record else received
        subject = self._subject(f"{connection}/{record['type']}/{record['id']}")
        subject.stamped.append(((at, self._accepted), record | {"_connection": connection, "_source": source}))

    def _subject(self, name: str) -> Subject:
        return self._subjects.setdefault(name, Subject(name))

    def settle(self) -> None:
        """Compute the facts, once every record is accepted."""
        subjects = [subject for subject in self._subjects.values() if subject.stamped]
        self.facts = [fact for subject in subjects for fact in FACTS_OF[subject.type](subject, self._score)]
        self.facts_of: defaultdict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            self.facts_of[fact.kind].append(fact)
        self.themes: defaultdict[str, set[str]] = defaultdict(set)
        for fact in self.facts_of["scored"]:
            self.themes[fact.subject] |= fact.lists["theme"]
        self.tickets = [Ticket(s) for s in subjects if s.type == "ticket" and Ticket.is_known(s)]

    def answer(self, query: Query, start: datetime, end: datetime) -> dict[Group, Value]:
        """The KPI in [start, end), of each group that has a fact."""
        if query.kpi == "theme_impact":
            return dict(impacts(query, [fact for fact in self.facts_of[query.agg] if start <= fact.at < end], self.themes))
        defaults = DEFAULTS.get((query.preset, query.kpi), {})
        agg, filed_by = query.agg or defaults.get("agg", ""), query.filed_by or defaults.get("filed_by", "")
        kinds, estimate = ESTIMATES[query.kpi]
        kinds = (FILED_BY.get((query.kpi, filed_by), filed_by),) if filed_by else kinds
        kinds = tuple(f"{kind}_business" for kind in kinds) if query.hours else kinds
        at_end = self._facts_at(query, end)
        kinds = tuple(kind_under(query.preset, kind) for kind in kinds) if at_end is None else kinds
        facts = at_end if at_end is not None else [fact for kind in kinds for fact in self.facts_of[kind]]
        in_time = (fact for fact in facts if at_end is not None or start <= fact.at < end)
        chosen = [fact for fact in in_time if query.passes(fact)]
        groups: defaultdict[Group, list[Fact]] = defaultdict(list)
        for fact in latest_of_each(chosen) if query.per else chosen:
            for group in product(*map(fact.values, query.group_by)):
                groups[group].append(fact)
        if not query.group_by:
            groups.setdefault((), [])
        return {
            group: estimate([[fact.value for fact in facts if fact.kind == kind] for kind in kinds], agg)
            for group, facts in groups.items()
        }

    def _facts_at(self, query: Query, t: datetime) -> list[Fact] | None:
        """The facts of a KPI with a value at an instant; None for other KPIs."""
        match query.kpi:
            case "backlog":
                return list(self._backlog(t, query.preset))
            case "backlog_age":
                return list(self._ages(t, query.preset))
            case "sla_breached_open":
                return list(self._breached(t, query.preset))
        return None

    def _backlog(self, t: datetime, preset: str) -> Iterable[Fact]:
        for ticket in self.tickets:
            is_open = dbt_zendesk.is_open_just_before if preset == "dbt_zendesk" else Ticket.is_open_just_before
            if is_open(ticket, t):
                yield Fact("backlog", t, 1, ticket.dims(t, just_before=True), None, ticket.subject.name)

    def _ages(self, t: datetime, preset: str) -> Iterable[Fact]:
        ages = {ticket.subject.name: t - ticket.at for ticket in self.tickets}
        return (replace(fact, kind="age", value=ages[fact.subject]) for fact in self._backlog(t, preset))

    def _breached(self, t: datetime, preset: str) -> Iterable[Fact]:
        for ticket in self.tickets:
            if preset == "dbt_zendesk":
                is_breached = dbt_zendesk.is_breached_just_before(ticket, t)
            else:
                is_breached = ticket.is_breached_just_before(t, solve_fulfils=preset == "zendesk")
            if is_breached:
                applied = ticket.applications[-1 if preset == "dbt_zendesk" else 0][1]
                dims = ticket.dims(t, just_before=True) | {"priority": applied.priority}
                yield Fact("breached", t, 1, dims, None, ticket.subject.name)

    def next_breaches(self, query: Query, t: datetime) -> dict[Group, datetime]:
        """By group, the earliest deadline at t or later of a ticket that is open now and lacks what is due."""
        ahead: defaultdict[Group, set[datetime]] = defaultdict(set)
        for ticket in self.tickets:
            fact = Fact("due", t, None, ticket.dims_of("target_first_reply", datetime.max.replace(tzinfo=UTC)), None, "")
            if query.passes(fact):
                for group in product(*map(fact.values, query.group_by)):
                    ahead[group] |= {at for _, at in ticket.due() if at >= t}
        return {group: min(deadlines) for group, deadlines in ahead.items() if deadlines}


def latest_of_each(facts: list[Fact]) -> list[Fact]:
    """The latest fact of each customer, by time, then subject. A fact without a customer counts alone."""
    named = sorted((f for f in facts if f.customer), key=lambda f: (f.at, f.subject))
    if len({(f.at, f.subject) for f in named}) < len(named):
        raise Ambiguous
    return [*{f.customer: f for f in named}.values(), *(replace(f) for f in facts if not f.customer)]
