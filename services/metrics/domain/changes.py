"""Which KPIs an event or a score may change, from its kind alone, without reading any contribution.

The kind of an event is the type of its subject, or `other`; the kind of every score is `score`. Contributions are not compared: a
batch that is applied again after a crash changes none, but must still be announced.
"""

from collections.abc import Iterable
from typing import get_args

from services.metrics.domain.kpis import KPIS, Kpi
from services.metrics.domain.measure import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)

KIND_OF_TYPE: dict[str, Kind] = {"response": "response", "review": "review", "ticket": "ticket"}


def kind_of(subject: str) -> Kind:
    """The kind of an event about `subject`, a name of the form `<connection>/<type>/<id>`."""
    parts = subject.split("/", 2)
    return KIND_OF_TYPE.get(parts[1], "other") if len(parts) == 3 else "other"


def kinds_of(kpi: Kpi | None) -> list[Kind]:
    """The kinds of changes that may change the value of `kpi`, or of any KPI if it is None, or the records behind it."""
    return [kind for kind in KINDS if kpi is None or kind in kpi.changed_by]


def kpis_of(kinds: Iterable[Kind]) -> tuple[str, ...]:
    """The ids of the KPIs that changes of any of `kinds` may change, sorted."""
    changed = frozenset(kinds)
    return tuple(sorted(kpi.id for kpi in KPIS.values() if not kpi.changed_by.isdisjoint(changed)))
