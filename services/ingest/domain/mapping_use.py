"""How a payload fits the mapping of its connection: answers that it leaves out, and keys of it that occur in no payload."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.ingest.domain.connection import FieldMapping, ProviderSettings


@dataclass(frozen=True, slots=True)
class UnmappedQuestion:
    """An answered question that is part of no record, since the mapping does not declare it.

    `question` is the id of its field, else its ref. `title` is the question's text in the form.
    """

    question: str
    ref: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class MappingUse:
    """Of one payload: its unmapped questions, and the keys of `mapping.questions` and `mapping.dimensions` that occur in it.

    `mapping.customer` counts as a key of `mapping.dimensions`.
    """

    unmapped: tuple[UnmappedQuestion, ...] = ()
    questions: frozenset[str] = frozenset()
    dimensions: frozenset[str] = frozenset()


NO_USE = MappingUse()


def merged(uses: Iterable[MappingUse]) -> MappingUse:
    """The keys that occur in any of several payloads, without their unmapped questions."""
    several = list(uses)
    return MappingUse(
        questions=frozenset().union(*(use.questions for use in several)),
        dimensions=frozenset().union(*(use.dimensions for use in several)),
    )


@dataclass(frozen=True, slots=True)
class UnusedKeys:
    """Keys of `mapping.questions` and `mapping.dimensions`, and `mapping.customer`, that occur nowhere, sorted."""

    questions: list[str]
    dimensions: list[str]


def unused_keys(mapping: ProviderSettings, questions: Collection[str], dimensions: Collection[str]) -> UnusedKeys:
    """The keys of a mapping that are not among those that occur."""
    if not isinstance(mapping, FieldMapping):
        return UnusedKeys([], [])
    return UnusedKeys(sorted({*mapping.questions}.difference(questions)), sorted(set(mapping.fields).difference(dimensions)))


def is_mapped(mapping: ProviderSettings, question: UnmappedQuestion) -> bool:
    """Whether the mapping declares the question, `ignore` included, or reads a dimension or the customer from it."""
    if not isinstance(mapping, FieldMapping):
        return False
    names = {name for name in (question.question, question.ref) if name}
    return not names.isdisjoint(mapping.questions) or not names.isdisjoint(mapping.fields)
