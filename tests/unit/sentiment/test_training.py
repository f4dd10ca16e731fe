"""The rows that training may use, and its figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.sentiment.domain.scorer import Opinion
from services.sentiment.network import E5, E5_4, E5_5, E5_6, PREVIOUS_E5
from services.sentiment.training.data import Row, choosing_rows, read_gold, sampled, training_rows
from services.sentiment.training.figures import by_source, calibration_error, figures, mean
from services.sentiment.weights import LINEAR
from shared.events import text_hash


def row(source: str, label: str, split: str, **more: str) -> dict[str, str]:
    return {"text": f"{source} {label}", "label": label, "source": source, "split": split, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "train": [row("tweets", "pos", "train"), row("airline", "neg", "train"), row("tweets", "mixed", "train")],
        "dev": [row("tweets", "neg", "dev"), row("airline", "neg", "dev")],
        "multi": [row("bahn", "neu", "train", lang="de"), row("bahn", "pos", "dev", lang="de")],
    }
    for name, rows in files.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return tmp_path


def test_a_source_with_restrictive_terms_is_used_for_nothing(folder: Path) -> None:
    assert [one.source for one in training_rows(folder, {})] == ["tweets", "bahn"]
    assert [one.source for one in choosing_rows(folder)] == ["tweets", "bahn"]


def test_dev_rows_are_never_training_rows(folder: Path) -> None:
    assert {one.split for one in training_rows(folder, {})} == {"train"}
    assert {one.split for one in choosing_rows(folder)} == {"dev"}


def judged(text: str, label: str | None, **more: Any) -> dict[str, Any]:
    """A row as `GET /v1/gold` exports it."""
    named = {"subject": "c/response/1", "comment": text_hash(text), "at": "2026-11-20T10:00:00+00:00", "themes": ["delivery"]}
    return {**named, "text": text, "label": label, "language": None, "model": "e5-2", "model_label": "neutral", **more}


def exported(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "gold.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def test_gold_is_read_as_rows_except_judgements_of_themes_alone(tmp_path: Path) -> None:
    rows = read_gold(
        exported(tmp_path, judged("late", "negative", language="de-AT"), judged("so", None), judged("ok", "neutral"))
    )
    assert [(one.text, one.label, one.source, one.lang) for one in rows] == [
        ("late", "neg", "gold", "de"),
        ("ok", "neu", "gold", "und"),
    ]


def test_a_tenth_of_gold_is_always_held_out(folder: Path) -> None:
    texts = [f"comment {n}" for n in range(400)]
    exported(folder, *(judged(text, "positive") for text in texts))
    learnt = {one.text for one in training_rows(folder, {}) if one.source == "gold"}
    chosen = {one.text for one in choosing_rows(folder) if one.source == "gold"}
    assert learnt | chosen == set(texts)
    assert not learnt & chosen
    assert 20 <= len(chosen) <= 60
    exported(folder, *(judged(text, "negative") for text in reversed(texts[:50])))
    assert {one.text for one in choosing_rows(folder) if one.source == "gold"} == chosen & set(texts[:50])


def test_sources_are_capped_deterministically() -> None:
    rows = [Row(text=str(n), label="pos", source="s") for n in range(50)] + [Row(text="x", label="neg", source="s")]
    assert len(sampled(rows, {"s": 10})) == 11
    assert sampled(rows, {"s": 10}) == sampled(rows, {"s": 10})


def test_the_figures_equal_those_computed_by_hand() -> None:
    rows = [Row(text="", label=label, source="s") for label in ("neg", "neg", "neu", "pos")]
    opinions = [Opinion("negative", -1, 1), Opinion("positive", 1, 1), Opinion("neutral", 0, 1), Opinion("positive", 1, 1)]
    result = figures(rows, opinions)
    assert (result.rows, result.accuracy) == (4, 0.75)
    assert result.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert result.macro_recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert result.two_class == pytest.approx(2 / 3)
    assert result.ece == pytest.approx(0.25)
    assert mean([result, result]) == pytest.approx((8, *result[1:]))
    assert by_source(rows, opinions) == {"s": result}


def test_a_model_whose_confidence_is_its_accuracy_is_calibrated() -> None:
    assert calibration_error(np.full(10, 0.7), np.arange(10) < 7) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 7) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("weights", "model"),
    [(E5, "e5-7"), (E5_6, "e5-6"), (E5_5, "e5-5"), (E5_4, "e5-4"), (PREVIOUS_E5, "e5-2"), (LINEAR, "linear-2")],
)
def test_the_card_of_the_weights_lists_no_airline_data(weights: Path, model: str) -> None:
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["model"] == model
    assert card["never_trained_on"] == ["airline"]
    assert "airline" not in card["data"]["by_source"]
    assert card["ece_dev"] < 0.03
    assert set(card["figures"]) >= {"test", "unseen", "multi_dev", "own_held_out"}
