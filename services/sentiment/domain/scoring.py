"""Score comments: rules first, then the model. A text on which the model fails does not affect the others."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.sentiment.domain.languages import language_of
from services.sentiment.domain.rules import AUTO_REPLY, NON_ANSWER, Ruling, ruling_of
from services.sentiment.domain.scorer import Opinion, Passage, Scorer, ScorerUnavailable
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.urgency import REASONS, urgency_of
from services.sentiment.domain.versions import score_of, text_to_read
from shared.events import UNSUPPORTED_LANGUAGE, Score, Urgency, text_hash
from shared.taxonomy import Taxonomy

LONGEST = 4_000
"""Characters of a text that a model reads. VADER takes quadratic time: 50 ms for so many, 5 s for 50,000."""

PROBE = "The delivery was fast."
"""A text that every working model can score."""


class Comment(NamedTuple):
    """A comment, its language (BCP 47) if it is stated, and the taxonomy whose themes are looked for."""

    text: str
    language: str | None
    taxonomy: Taxonomy | None = None


class ReadComment(NamedTuple):
    """A comment, the part of its text that is read, and the version of the rules."""

    comment: Comment
    text: str
    rules: int


@dataclass(frozen=True, slots=True)
class Unscorable:
    """The model fails on this text. The reason quotes nothing of it."""

    reason: str


def score_comments(scorer: Scorer, comments: Sequence[Comment], finder: Finder | None = None) -> list[Score | Unscorable]:
    """The score of each comment, with themes if a `finder` is given. Raises ScorerUnavailable if the model can't score."""
    rules = scorer.model.rules
    texts = [text_to_read(comment.text, rules) for comment in comments]
    rulings = [ruling_of(text, rules) for text in texts]
    to_read = [index for index, ruling in enumerate(rulings) if ruling is None or (finder and isinstance(ruling, Opinion))]
    opinions = dict(zip(to_read, opinions_of(scorer, [texts[index][:LONGEST] for index in to_read]), strict=True))
    return [
        _to_score_safely(ReadComment(comment, text, rules), effective_ruling(ruling, opinions.get(index)), finder)
        for index, (comment, text, ruling) in enumerate(zip(comments, texts, rulings, strict=True))
    ]


def effective_ruling(ruling: Ruling | None, opinion: Opinion | Unscorable | None) -> Ruling | Unscorable:
    """The ruling of a rule, else the model's opinion. Where a rule decides, the model adds the meanings of the passages and the
    reasons for urgency.
    """
    if ruling is None:
        assert opinion is not None
        return opinion
    if isinstance(ruling, Opinion) and isinstance(opinion, Opinion):
        passages = [Passage(ruling.score, passage.meaning) for passage in opinion.passages]
        return replace(ruling, passages=passages, urgency=opinion.urgency, improbable=opinion.improbable)
    return ruling


def _to_score_safely(read: ReadComment, ruling: Ruling | Unscorable, finder: Finder | None) -> Score | Unscorable:
    """Like `to_score`; an error becomes Unscorable."""
    try:
        return to_score(read, ruling, finder)
    except MemoryError as error:
        raise ScorerUnavailable(type(error).__name__) from error
    except Exception as error:
        return Unscorable(f"the score can't be made: {type(error).__name__}")


def to_score(read: ReadComment, ruling: Ruling | Unscorable, finder: Finder | None) -> Score | Unscorable:
    """The event's score for a ruling on a comment."""
    comment, text, rules = read
    match ruling:
        case Unscorable():
            return ruling
        case Opinion():
            language = language_of(text, comment.language)
            taxonomy = comment.taxonomy
            flags = (("truncated", len(text) > LONGEST), (UNSUPPORTED_LANGUAGE, not language.served))
            return Score(
                label=ruling.label,
                score=score_of(ruling.label, ruling.score, rules),
                confidence=ruling.confidence,
                language=language.tag,
                mixed=ruling.mixed,
                themes=finder.themes(taxonomy, ruling.passages) if finder and taxonomy else (),
                taxonomy=taxonomy.revision if taxonomy else 0,
                urgency=merged(({*urgency_of(text[:LONGEST], rules)} - {*ruling.improbable}) | {*ruling.urgency}),
                flags=tuple(flag for flag, applies in flags if applies),
                text_hash=text_hash(comment.text),
            )
        case _:
            return Score(
                label=None,
                score=None,
                confidence=1.0,
                language=comment.language,
                taxonomy=comment.taxonomy.revision if comment.taxonomy else 0,
                flags=(NON_ANSWER, AUTO_REPLY) if ruling == AUTO_REPLY else (NON_ANSWER,),
                text_hash=text_hash(comment.text),
            )


def merged(reasons: Set[Urgency]) -> tuple[Urgency, ...]:
    """Reasons for urgency in the order of `Urgency`."""
    return tuple(reason for reason in REASONS if reason in reasons)


def opinions_of(scorer: Scorer, texts: Sequence[str]) -> list[Opinion | Unscorable]:
    """The model's opinion of each text. If it fails, halving the texts finds those on which it fails."""
    if not texts:
        return []
    try:
        opinions: list[Opinion | Unscorable] = [*scorer.score(texts)]
        if len(opinions) != len(texts):
            raise ValueError(f"{len(opinions)} opinions for {len(texts)} texts")
    except ScorerUnavailable:
        raise
    except MemoryError as error:
        raise ScorerUnavailable(type(error).__name__) from error
    except Exception as error:
        if len(texts) > 1:
            half = len(texts) // 2
            return opinions_of(scorer, texts[:half]) + opinions_of(scorer, texts[half:])
        if not can_score(scorer):
            raise ScorerUnavailable(type(error).__name__) from error
        return [Unscorable(f"the model fails on a text: {type(error).__name__}")]
    return opinions


def can_score(scorer: Scorer) -> bool:
    """Whether the model can score PROBE. Raises ScorerUnavailable if the model does."""
    try:
        return len(scorer.score([PROBE])) == 1
    except ScorerUnavailable:
        raise
    except Exception:
        return False
