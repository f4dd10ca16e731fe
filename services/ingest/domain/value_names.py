"""Names that deliveries state for values of dimensions: of teams and agents of a help desk, and of surveys.

Events carry the values alone. The names go to the directory of names in metrics, beside those that a tenant sets.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from services.ingest.domain.fields import LONGEST_NAME, is_name
from services.ingest.domain.record import Response
from services.ingest.domain.redaction import Redactor
from shared.events import NAMED_DIMENSIONS
from shared.text import nfc


class ValueName(NamedTuple):
    """The name of a value of a dimension: the team 360001 is "Billing". The dimension is one of NAMED_DIMENSIONS."""

    dimension: str
    value: str
    name: str


def usable_names(names: Iterable[ValueName]) -> tuple[ValueName, ...]:
    """The names as metrics stores them: each a line of at most LONGEST_NAME characters in Unicode NFC, and once.

    A name that equals its value, or that has no printable text, is left out. Of two names of a value the last one counts.
    """
    usable: dict[tuple[str, str], str] = {}
    for dimension, value, name in names:
        if one := _usable(dimension, value, name):
            usable[one.dimension, one.value] = one.name
    return tuple([ValueName(*key, name) for key, name in usable.items()])


@lru_cache(4096)
def _usable(dimension: str, value: str, name: str) -> ValueName | None:
    """The name as metrics stores it; None if it is left out. Deliveries repeat the same names."""
    value, name = nfc(value), " ".join(nfc(name).split())[:LONGEST_NAME].rstrip()
    if dimension in NAMED_DIMENSIONS and name != value and is_name(value) and is_name(name):
        return ValueName(dimension, value, name)
    return None


def survey_names(records: Iterable[Any]) -> Iterator[ValueName]:
    """The names of surveys in canonical records."""
    for record in records:
        if isinstance(record, Response) and record.survey and record.survey.name:
            yield ValueName("survey", record.survey.id, record.survey.name)


def states_identity(name: str) -> bool:
    """Whether `name` holds an e-mail address, a phone number, an IBAN or a card number."""
    return Redactor()(name) != name
