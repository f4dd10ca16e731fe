"""From comments to scores: rules first, then the model, and no text can spoil it for the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from services.sentiment.domain.languages import language_of
from services.sentiment.domain.rules import NON_ANSWER, Ruling, ruled
from services.sentiment.domain.scorer import Opinion, Passage, Scorer, ScorerAway
from services.sentiment.domain.themes import Finder
from services.sentiment.domain.urgency import urgency_of
from shared.events import UNSUPPORTED_LANGUAGE, Score, text_hash
from shared.taxonomy import Taxonomy

LONGEST = 4_000
"""Characters that a model gets to see: VADER's time grows with the square of a text's length, 50 ms here, 5 s at 50,000."""

SOUND = "The delivery was fast."
"""A text that every model can score: if it can't, the model is at fault."""


class Comment(NamedTuple):
    """A comment, its language (BCP 47) where somebody stated it, and the themes that are looked for in it."""

    text: str
    language: str | None
    taxonomy: Taxonomy | None = None


@dataclass(frozen=True, slots=True)
class Unscorable:
    """The model fails on this one text. The reason tells nothing of it."""

    reason: str


def judge(scorer: Scorer, comments: Sequence[Comment], finder: Finder | None = None) -> list[Score | Unscorable]:
    """The score of each comment; themes where a `finder` is given. Raises ScorerAway when the model can't score anything."""
    rulings = [ruled(comment.text) for comment in comments]
    asked = [place for place, ruling in enumerate(rulings) if ruling is None or (finder and isinstance(ruling, Opinion))]
    opinions = dict(zip(asked, opinions_of(scorer, [comments[place].text[:LONGEST] for place in asked]), strict=True))
    return [
        _guarded(comment, standing(ruling, opinions.get(place)), finder)
        for place, (comment, ruling) in enumerate(zip(comments, rulings, strict=True))
    ]


def standing(ruling: Ruling | None, opinion: Opinion | Unscorable | None) -> Ruling | Unscorable:
    """What counts: a rule before the model. Of a text that a rule decides the model tells what it is about, no more."""
    if ruling is None:
        assert opinion is not None
        return opinion
    if isinstance(ruling, Opinion) and isinstance(opinion, Opinion):
        return replace(ruling, passages=[Passage(ruling.score, passage.meaning) for passage in opinion.passages])
    return ruling


def _guarded(comment: Comment, found: Ruling | Unscorable, finder: Finder | None) -> Score | Unscorable:
    """`worded`, and no text can spoil it for the others."""
    try:
        return worded(comment, found, finder)
    except MemoryError as error:
        raise ScorerAway(type(error).__name__) from error
    except Exception as error:
        return Unscorable(f"can't be put into words: {type(error).__name__}")


def worded(comment: Comment, found: Ruling | Unscorable, finder: Finder | None) -> Score | Unscorable:
    """What was found, as the score that travels."""
    match found:
        case Unscorable():
            return found
        case Opinion():
            language = language_of(comment.text, comment.language)
            taxonomy = comment.taxonomy
            flags = (("truncated", len(comment.text) > LONGEST), (UNSUPPORTED_LANGUAGE, not language.served))
            return Score(
                label=found.label,
                score=found.score,
                confidence=found.confidence,
                language=language.tag,
                mixed=found.mixed,
                themes=finder.themes(taxonomy, found.passages) if finder and taxonomy else (),
                taxonomy=taxonomy.revision if taxonomy else 0,
                urgency=urgency_of(comment.text[:LONGEST]),
                flags=tuple(flag for flag, flies in flags if flies),
                text_hash=text_hash(comment.text),
            )
        case _:
            return Score(
                label=None,
                score=None,
                confidence=1.0,
                language=comment.language,
                taxonomy=comment.taxonomy.revision if comment.taxonomy else 0,
                flags=(NON_ANSWER,),
                text_hash=text_hash(comment.text),
            )


def opinions_of(scorer: Scorer, texts: Sequence[str]) -> list[Opinion | Unscorable]:
    """The model's opinion of each text; when it fails, halving finds the texts on which it does."""
    if not texts:
        return []
    try:
        opinions: list[Opinion | Unscorable] = [*scorer.score(texts)]
        if len(opinions) != len(texts):
            raise ValueError(f"{len(opinions)} opinions for {len(texts)} texts")
    except ScorerAway:
        raise
    except MemoryError as error:
        raise ScorerAway(type(error).__name__) from error
    except Exception as error:
        if len(texts) > 1:
            half = len(texts) // 2
            return opinions_of(scorer, texts[:half]) + opinions_of(scorer, texts[half:])
        if not works(scorer):
            raise ScorerAway(type(error).__name__) from error
        return [Unscorable(f"the model fails on a text: {type(error).__name__}")]
    return opinions


def works(scorer: Scorer) -> bool:
    """Whether the model can score a text that is beyond blame. Raises ScorerAway where the model itself says that it can't."""
    try:
        return len(scorer.score([SOUND])) == 1
    except ScorerAway:
        raise
    except Exception:
        return False
