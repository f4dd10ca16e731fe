"""The transformer as it is shipped."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sentiment.domain.scorer import Model, Scorer
from services.sentiment.domain.scoring import Comment, Unscorable, score_comments
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.vader import VaderScorer
from services.sentiment.domain.versions import BAR, INSIDE
from services.sentiment.network import (
    BATCH,
    E5,
    E5_4,
    E5_5,
    E5_6,
    PAD,
    PREVIOUS_E5,
    STEP,
    TEXTS,
    OnnxNetwork,
    batches,
    inputs_of,
    padded_length,
    read_transformer,
    tokenizer_of,
)
from services.sentiment.training.data import Row
from services.sentiment.training.own.templates import own_rows
from services.sentiment.weights import BrokenModel
from shared.events import Score
from tests.unit.sentiment.own_sentences import SENTENCES, sentences

LABELS = {"neg": "negative", "neu": "neutral", "pos": "positive"}
HELD_OUT = own_rows(held_out=True, part="policy")
MEGABYTE = 1e6
SCORES_OF_E5_2 = [
    ("Wonderful, thank you!", 0.888),
    ("Terrible. I hate waiting.", -0.885),
    ("Where can I download my invoice?", -0.003),
    ("Die neue App ist SCHLECHT", 0.861),
    ("10 out of 10 times it fails", -0.874),
    ("J'adore le produit, mais la livraison était trop lente.", -0.852),
    ("لا يعمل التطبيق منذ أمس", -0.882),
]
"""Wrong ones among them: a model's scores never change. Processors round a little differently."""
SCORES_OF_E5_4 = [
    ("Wonderful, thank you!", 0.856),
    ("Terrible. I hate waiting.", -0.856),
    ("Where can I download my invoice?", 0.002),
    ("Da kann man nicht meckern", -0.258),
    ("12 out of 12 orders came on time", -0.218),
    ("Le produit est super, ma fille est ravie", 0.862),
    ("Hardly any downtime", -0.193),
    ("لا يعمل التطبيق منذ أمس", -0.859),
]


@pytest.fixture(scope="module")
def scorer() -> TransformerScorer:
    return read_transformer()


@pytest.fixture(scope="module")
def scores(scorer: TransformerScorer) -> list[Score]:
    """The scores of HELD_OUT."""
    return scores_of(scorer, HELD_OUT)


def scores_of(scorer: Scorer, rows: Sequence[Row]) -> list[Score]:
    scores = score_comments(scorer, [Comment(row.text, row.lang) for row in rows])
    assert not [score for score in scores if isinstance(score, Unscorable)]
    return [score for score in scores if isinstance(score, Score)]


def right(scorer: Scorer, texts: Sequence[str], labels: Sequence[str]) -> float:
    """The share of the texts that a model reads as they are meant."""
    return float(np.mean([opinion.label == label for opinion, label in zip(scorer.score(texts), labels, strict=True)]))


def right_of(scores: Sequence[Score], group: str = "") -> float:
    """The share of right labels in HELD_OUT, or in one group of it; a non-answer counts as neutral."""
    pairs = [
        (score.label or "neutral", LABELS[row.label])
        for row, score in zip(HELD_OUT, scores, strict=True)
        if row.source == f"own_{group}" or not group
    ]
    return sum(label == truth for label, truth in pairs) / len(pairs)


def test_its_name_is_the_one_that_kpis_use(scorer: TransformerScorer) -> None:
    assert str(scorer.model) == "e5-7"


def test_the_previous_model_scores_as_ever() -> None:
    texts, scores = zip(*SCORES_OF_E5_2, strict=True)
    assert [round(opinion.score, 3) for opinion in read_transformer(PREVIOUS_E5).score(texts)] == pytest.approx(scores, abs=0.02)


def test_the_unreleased_model_before_it_scores_as_ever() -> None:
    texts, scores = zip(*SCORES_OF_E5_4, strict=True)
    scorer = read_transformer(E5_4)
    assert str(scorer.model) == "e5-4"
    assert [opinion.score for opinion in scorer.score(texts)] == pytest.approx(scores, abs=0.02)


def test_all_outputs_of_e5_6_but_urgency_are_those_of_e5_5() -> None:
    texts = [
        *dict(SCORES_OF_E5_4),
        "I was charged twice and nobody answers my mails",
        "The parcel came late, but the lamp is lovely",
    ]
    newer, older = OnnxNetwork(E5_6)(texts), OnnxNetwork(E5_5)(texts)
    assert newer.both is not None
    assert newer.urgent is not None
    assert older.both is not None
    assert older.urgent is not None
    assert np.array_equal(newer.logits, older.logits)
    assert np.array_equal(newer.meanings, older.meanings)
    assert np.array_equal(newer.both, older.both)
    assert not np.array_equal(newer.urgent, older.urgent)


def test_a_thousand_held_out_sentences_are_scored_far_better_than_by_a_lexicon(scores: list[Score]) -> None:
    share, lexicon = right_of(scores), right_of(scores_of(VaderScorer(), HELD_OUT))
    assert share >= 0.68
    assert share >= lexicon + 0.2


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_plain_sentences_of_every_served_language_are_right(scorer: TransformerScorer, language: str) -> None:
    texts, labels = zip(*sentences(language), strict=True)
    assert right(scorer, texts, labels) >= 0.8


@pytest.mark.parametrize(("group", "least"), [("problem", 0.7), ("request", 0.75), ("question", 0.9), ("contrast", 0.8)])
def test_the_label_policy_is_learnt(scores: list[Score], group: str, least: float) -> None:
    assert right_of(scores, group) >= least


def test_label_and_score_of_every_sentence_agree(scores: list[Score]) -> None:
    by_label = {"positive": (BAR, 1.0), "neutral": (-INSIDE, INSIDE), "negative": (-1.0, -BAR)}
    scored = [(score.label, score.score) for score in scores if score.label is not None and score.score is not None]
    assert len(scored) > 1_000
    assert [(label, score) for label, score in scored if not by_label[label][0] <= score <= by_label[label][1]] == []


def test_the_score_of_a_text_does_not_depend_on_its_batch_to_the_bit() -> None:
    network = OnnxNetwork(E5)
    texts = [row.text for row in HELD_OUT[:200]] + ["word " * 60, "!", "م"]
    together, turned = network(texts), network(texts[::-1])
    alone = [network([text]) for text in texts]
    for name in ("logits", "meanings"):
        assert (getattr(together, name) == getattr(turned, name)[::-1]).all()
        assert (getattr(together, name) == np.concatenate([getattr(one, name) for one in alone])).all()


def test_meanings_are_unit_vectors_and_translations_are_nearer_than_other_topics(scorer: TransformerScorer) -> None:
    late, german, staff = scorer.meanings(["The parcel came late", "Das Paket kam zu spät", "The staff was friendly"])
    assert np.allclose([late @ late, german @ german, staff @ staff], 1, atol=1e-5)
    assert late @ german > late @ staff + 0.2


def test_only_a_comment_with_two_poles_is_mixed(scorer: TransformerScorer) -> None:
    both = "The food was absolutely delicious and the staff lovely. Sadly the room was dirty, disgusting and horrible."
    assert [opinion.mixed for opinion in scorer.score([both, "The food was delicious. The staff was lovely.", "Horrible"])] == [
        True,
        False,
        False,
    ]


def test_a_long_comment_is_read_to_its_end(scorer: TransformerScorer) -> None:
    start = "I ordered it on Tuesday and it has two cables. " * 12
    neutral, spoilt = scorer.score([start, start + "It broke at once, I am furious, never again. " * 8])
    assert spoilt.score < neutral.score - 0.2


def test_a_shouted_text_scores_like_a_lowered_one(scorer: TransformerScorer) -> None:
    loud, quiet = scorer.score(["THE WORST SERVICE EVER, NOBODY ANSWERS", "the worst service ever, nobody answers"])
    assert loud == quiet


@pytest.mark.parametrize(("network", "megabytes"), [(E5, 17), (E5_6, 2), (E5_5, 2)])
def test_a_file_does_not_repeat_the_weights_that_it_has_in_common_with_e5_4(network: Path, megabytes: int) -> None:
    assert network.stat().st_size <= megabytes * MEGABYTE
    assert tokenizer_of(network) == tokenizer_of(E5_4)


def test_a_network_whose_weights_are_missing_is_broken(tmp_path: Path) -> None:
    copied = tmp_path / E5.name
    copied.symlink_to(E5)
    with pytest.raises(BrokenModel, match=r"e5-7\.onnx: e5-4\.onnx, which holds its weights, can't be read: FileNotFoundError"):
        read_transformer(copied)


def test_a_network_with_other_weights_is_broken_before_it_reads_them(tmp_path: Path) -> None:
    for path in (E5, E5_4, tokenizer_of(E5_4)):
        shutil.copy(path, tmp_path)
    assert read_transformer(tmp_path / E5.name).model == Model("e5", "7", 3)
    with (tmp_path / E5_4.name).open("r+b") as weights:
        weights.seek(20_000_000)
        weights.write(b"\0other\0")
    with pytest.raises(
        BrokenModel, match=r"e5-7\.onnx: e5-4\.onnx, which holds its weights, has the SHA-256 [0-9a-f]{64} instead of 52d5"
    ):
        read_transformer(tmp_path / E5.name)


def test_padding_is_masked_for_a_network_with_a_mask() -> None:
    arrays = inputs_of([[0, 5, 2], [0, 2]], STEP)
    assert arrays["ids"].tolist() == [[0, 5, 2, PAD], [0, 2, PAD, PAD]]
    assert arrays["mask"].tolist() == [[1, 1, 1, 0], [1, 1, 0, 0]]


def test_nothing_is_padded_for_a_network_without_a_mask() -> None:
    arrays = inputs_of([[0, 5, 2], [0, 4, 2]], 1)
    assert list(arrays) == ["ids"]
    assert arrays["ids"].tolist() == [[0, 5, 2], [0, 4, 2]]


def test_equal_texts_are_read_once_and_the_order_is_that_of_the_texts() -> None:
    network = OnnxNetwork(E5)
    long, short = "The parcel came late and nobody answered", "Great"
    outcome = network([long, short, long, short])
    assert (outcome.logits[[0, 1]] == outcome.logits[[2, 3]]).all()
    assert (outcome.logits[:2] == network([long, short]).logits).all()
    assert outcome.logits[0].argmax() != outcome.logits[1].argmax()


@given(st.lists(st.integers(2, 160), max_size=200), st.sampled_from([1, STEP]))
def test_batches_have_one_padded_length_and_limited_sizes(lengths: list[int], step: int) -> None:
    ids = [[7] * length for length in sorted(lengths)]
    cut = list(batches(ids, step))
    assert [text for batch in cut for text in batch] == ids
    assert all(len(batch) == 1 or len(batch) * padded_length(batch[-1], step) <= BATCH for batch in cut)
    assert all(padded_length(batch[0], step) == padded_length(batch[-1], step) for batch in cut)
    assert all(len(batch) <= TEXTS for batch in cut)
    assert len(cut) <= len({padded_length(text, step) for text in ids}) + sum(map(len, ids)) / (BATCH / 3) + len(ids) / TEXTS


def test_a_malformed_file_raises_broken_model(tmp_path: Path) -> None:
    for content in (None, b"", b"not a graph"):
        path = tmp_path / "e5.onnx"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(BrokenModel, match=r"e5\.onnx"):
            read_transformer(path)
