"""Which KPIs an event or a score may change, by its kind alone.

The kind of an event is the type of its subject, or OTHER; the kind of every score is SCORE. Contributions are not compared: a
batch that is applied again after a crash changes none, but must still be announced.
"""

from collections.abc import Iterable

from services.metrics.domain.kpis import KPIS, Kpi

SCORE = "score"
OTHER = "other"
"""The kind of a change that may touch every KPI: an unknown type of subject, or a rebuild."""

COMMENTS = frozenset({"comments", "sentiment", "label"})
FEEDBACK = COMMENTS | {"nps", "csat", "ces", "stars", "responses"}
EVERYTHING = frozenset(family for kpi in KPIS.values() for family in kpi.announce)

TOUCHES: dict[str, frozenset[str]] = {
    "response": FEEDBACK,
    "review": FEEDBACK,
    "ticket": EVERYTHING - {"nps", "ces", "stars", "responses"},
    SCORE: COMMENTS,
    OTHER: EVERYTHING,
}
"""The families of measures that a change of each kind may touch."""


def kind_of(subject: str) -> str:
    """The kind of an event about `subject`, a name of the form `<connection>/<type>/<id>`."""
    parts = subject.split("/", 2)
    return parts[1] if len(parts) == 3 and parts[1] in TOUCHES else OTHER


def kinds_of(kpi: Kpi) -> list[str]:
    """The kinds of changes that may change the value of `kpi` or the records behind it."""
    return [kind for kind, families in TOUCHES.items() if not kpi.announce.isdisjoint(families)]


def kpis_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """The ids of the KPIs that changes of any of `kinds` may touch, sorted."""
    families: set[str] = set().union(*(TOUCHES[kind] for kind in kinds))
    return tuple(sorted(kpi.id for kpi in KPIS.values() if not kpi.announce.isdisjoint(families)))
