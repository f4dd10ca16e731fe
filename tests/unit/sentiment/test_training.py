"""What training may learn from, and the figures it tells."""

import json
from pathlib import Path

import numpy as np
import pytest

from services.sentiment.domain.scorer import Opinion
from services.sentiment.training.data import Row, choosing_rows, sampled, training_rows
from services.sentiment.training.figures import by_source, calibration_error, figures, mean
from services.sentiment.weights import LINEAR


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


def test_a_source_whose_terms_forbid_it_is_neither_learnt_from_nor_chosen_by(folder: Path) -> None:
    assert [one.source for one in training_rows(folder, 9)] == ["tweets", "bahn"]
    assert [one.source for one in choosing_rows(folder)] == ["tweets", "bahn"]


def test_what_is_chosen_by_is_never_learnt_from(folder: Path) -> None:
    assert {one.split for one in training_rows(folder, 9)} == {"train"}
    assert {one.split for one in choosing_rows(folder)} == {"dev"}


def test_no_source_gets_more_than_its_share_and_the_same_rows_each_time() -> None:
    rows = [Row(text=str(n), label="pos", source="s") for n in range(50)] + [Row(text="x", label="neg", source="s")]
    assert len(sampled(rows, 10)) == 11
    assert sampled(rows, 10) == sampled(rows, 10)


def test_the_figures_are_those_that_a_hand_finds() -> None:
    rows = [Row(text="", label=label, source="s") for label in ("neg", "neg", "neu", "pos")]
    told = [Opinion("negative", -1, 1), Opinion("positive", 1, 1), Opinion("neutral", 0, 1), Opinion("positive", 1, 1)]
    found = figures(rows, told)
    assert (found.rows, found.accuracy) == (4, 0.75)
    assert found.macro_f1 == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert found.macro_recall == pytest.approx((0.5 + 1 + 1) / 3)
    assert found.two_class == pytest.approx(2 / 3)
    assert found.ece == pytest.approx(0.25)
    assert mean([found, found]) == pytest.approx((8, *found[1:]))
    assert by_source(rows, told) == {"s": found}


def test_a_model_that_is_as_often_right_as_it_says_is_calibrated() -> None:
    assert calibration_error(np.full(10, 0.7), np.arange(10) < 7) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.9), np.arange(10) < 7) == pytest.approx(0.2)


def test_the_card_beside_the_weights_says_that_airline_is_in_no_weight() -> None:
    card = json.loads(LINEAR.with_suffix(".json").read_text())
    assert card["model"] == "linear-1"
    assert card["never_trained_on"] == ["airline"]
    assert "airline" not in card["data"]["by_source"]
    assert card["calibration"]["ece_dev"] < 0.03
