"""A record as it is shown: what was said, and how it counts."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.metrics.api.answers import local
from services.metrics.domain.comments import LABELS, effective_label, effective_themes
from services.metrics.domain.measures import Measure, measure_of
from services.metrics.domain.view import SubjectView, view
from services.metrics.store.records import Record
from services.metrics.store.writer import decoded
from shared.events import Override, Score

LABEL_OF = {number: label for label, number in LABELS.items()}

Shown = dict[str, Any]
NOTHING = ("label", "score", "judged_by", "themes_by", "model", "model_label")
UNSCORED: Shown = dict.fromkeys(NOTHING) | {"themes": (), "urgency": ()}


def shown(records: Iterable[Record], zone: ZoneInfo, model: str) -> list[Shown]:
    """The records with their words. Of a comment also its label, score, themes and urgency, the model that scored it, who judged
    it, and the hash that names its text to an override."""
    views: dict[int, SubjectView] = {}
    said: defaultdict[tuple[int, datetime, str], list[Shown]] = defaultdict(list)
    found = []
    for record in records:
        subject = record.subject
        if subject.id not in views:
            views[subject.id] = view(subject.statements.values())
        told = {
            "subject": subject.name,
            "at": local(record.at, zone),
            "measure": record.measure,
            "value": record.amount,
            "dims": record.dims,
            "text": views[subject.id].text_at(record.at),
        }
        measure = measure_of(record.measure)
        if measure.record != "amount":
            key = (subject.id, record.at, record.measure)
            if key not in said:
                said[key] = judgements(views[subject.id], record, model)
            told |= judgement_of(measure, record.amount, said[key])
        found.append(told)
    return found


def judgements(seen: SubjectView, record: Record, model: str) -> list[Shown]:
    """What was said of the subject at the record's time, and how it was judged."""
    scores = decoded(record.subject.scores)
    comments = sorted((c for c in seen.comments if c.at == record.at), key=lambda comment: comment.text_hash)
    found = []
    for comment in comments:
        score, override = scores.get((model, comment.text_hash)), seen.overrides.get(comment.text_hash)
        told = judgement(score, override) | {"model": model} if score else UNSCORED
        found.append({"text": comment.text, "text_hash": comment.text_hash, **told})
    return found


def judgement(score: Score, override: Override | None) -> Shown:
    """How it is judged. `judged_by` tells whose its label is, `themes_by` whose its themes are; `model_label` is the model's."""
    label, value = effective_label(score, override)
    by = {"judged_by": whose(override and override.label), "themes_by": whose(override and override.themes)}
    themes = effective_themes(score, override)
    return {"label": label, "score": value, "themes": themes, "urgency": score.urgency, **by, "model_label": score.label}


def whose(said: object) -> str:
    return "human" if said else "model"


def judgement_of(measure: Measure, amount: int, said: list[Shown]) -> Shown:
    """The comment that makes this record, taken out of those of its time; two that count alike are told apart by nothing."""
    for comment in said:
        matches = {
            "comment": True,
            "label": LABELS.get(comment["label"]) == amount,
            "score": comment["score"] is not None and round(measure.per_unit * comment["score"]) == amount,
        }[measure.record]
        if matches:
            said.remove(comment)
            return comment | ({"value": comment["score"]} if measure.record == "score" else {})
    return {}
