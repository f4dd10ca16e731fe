"""Make e5-7 of a student that `learn` fitted: mix it with e5-4, round it, choose its thresholds, write its files and its card.

python -m services.sentiment.training.ensemble.finish --data FOLDER --work FOLDER --student FILE --choose-by FILE...

`--choose-by`: as for `training.urgency_head`. The word embeddings stay those of e5-4, so the file reads them from that of e5-4.
"""

import argparse
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import onnx
import torch
from torch import Tensor
from transformers import BertModel

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import Manner
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.themes import matches, points_of
from services.sentiment.domain.transformer import TransformerFacts, TransformerScorer
from services.sentiment.domain.urgency import REASONS, urgency_of
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import E5_4, E5_6, OnnxNetwork, read_transformer, tokenizer_of
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training import choosing
from services.sentiment.training.card import write_card
from services.sentiment.training.comments.data import comments
from services.sentiment.training.data import Row, choosing_rows, training_rows
from services.sentiment.training.encoder import MEANING, Reader, config
from services.sentiment.training.ensemble.prepare import e5_tokenizer, labelled_rows
from services.sentiment.training.examples import MOST
from services.sentiment.training.export import Endings, export, state_facts
from services.sentiment.training.finishing import MEASURED, figures_of, ids_of, meanings_of
from services.sentiment.training.fitting import flows
from services.sentiment.training.importing import WORDS, read_exported
from services.sentiment.training.meaning import Focus, split
from services.sentiment.training.rounding import Flow
from services.sentiment.training.sharing import share
from services.sentiment.training.themes.data import LabelledComment, pieces
from services.sentiment.training.two_sided.data import sheets, two_sided_texts
from services.sentiment.training.urgency_head import CALM, SPREAD, lowest_bar
from services.sentiment.training.urgent.data import Sentence, sentences
from services.sentiment.training.urging import Floats, Linear, regression
from services.sentiment.training.wheel import read_pretrained
from services.sentiment.weights import MODELS
from shared.events import Urgency

MODEL = Model("e5", "7", LATEST)
FORMER = 0.2
"""Share of e5-4's weights in the mix. Of 0, 0.1, 0.2 and 0.35 it read dev best: 78.4 % of English and 68.0 % of other sources,
where 0 read 78.2 and 67.4.
"""
ABOVE = 2
STRENGTH = 0.3
"""Inverse strength of the regularisation of the head for urgency."""
IMPROBABLE = 0.005
"""The learnt probability below which a phrase does not count: on held-out comments it raised F1 of urgency most."""
LONG, SHORT, DOUBT = 300, 200, 0.02
"""How texts are read (`Manner`), chosen by themes and `mixed` on held-out comments: both are better than with all pieces."""
BEHIND = 0.03
"""How far a theme may be below the likeliest: less than before, since likenesses in this space lie closer together."""
PUBLIC, RIDGE = 20_000, 1e-4
"""Public comments from which the last step of meaning is learnt, and the regularisation, as a share of the rows."""
ABOUT = {
    "kind": "multilingual-e5-small (MIT), 8 of 12 layers, from e5-4, distilled from four teachers with all layers and three of "
    "all-mpnet-base-v2 (Apache-2.0) for English; eight-bit ONNX, word embeddings in e5-4.onnx",
    "trained_with": "python -m services.sentiment.training.ensemble (see its docstring)",
}
INTERMEDIATE = "encoder.encoder.layer.0.intermediate.dense.weight"


class Learnt(NamedTuple):
    """A student's network, and the last step of its meanings."""

    net: Reader
    focus: Focus


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--student", type=Path, required=True)
    parser.add_argument("--choose-by", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    rows = labelled_rows(options.data, random.Random(0))
    folder = options.work / "shipped"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (E5_4, tokenizer_of(E5_4)):
        shutil.copy(file, folder)
    path = folder / f"{MODEL}.onnx"
    learnt = read_student(mixed_with_former(torch.load(options.student)))
    sample = random.Random(0).sample(rows, MEASURED)
    write_network(learnt, path, flows(learnt.net, ids_of(e5_tokenizer(), [row.text for row in sample])), options.data)
    decode = msgspec.json.Decoder(Sentence).decode
    chosen_by = [decode(line) for file in options.choose_by for line in file.read_bytes().splitlines()]
    facts = chosen(OnnxNetwork(path), choosing_rows(options.data), chosen_by)
    state_facts(path, facts)
    model = onnx.load(path)
    share(model, E5_4)
    path.write_bytes(model.SerializeToString())
    scorer = read_transformer(path)
    write_card(path.with_suffix(".json"), scorer, {**ABOUT, **figures_of(scorer, facts)}, rows, options.data)
    for made in (path, path.with_suffix(".json")):
        shutil.copy(made, MODELS)


def write_network(learnt: Learnt, path: Path, met: Mapping[str, Flow], data: Path) -> None:
    """Write the network with the head for urgency and the last step of meaning that are learnt from its rows as rounded.

    `met`: see `export`. For that it is written first with a head for urgency that copies the rows.
    """
    size = learnt.net.encoder.config.hidden_size
    export(learnt.net, path, met, Endings(learnt.focus, Linear(np.eye(size, dtype=np.float32), np.zeros(size, np.float32))))
    copying = OnnxNetwork(path)
    urgent, meaning = urgent_head(copying, data), joined_meaning(copying, data)
    learnt.net.meaning.weight.data, learnt.net.meaning.bias.data = map(torch.from_numpy, meaning)
    export(learnt.net, path, met, Endings(urgent=urgent))


def mixed_with_former(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a student with a share of those of e5-4, with which it began (Wortsman et al., 2022)."""
    imported = read_exported(E5_4)
    focus = {"focus.weight": np.ascontiguousarray(imported.focus.turn.T), "focus.bias": imported.focus.shift}
    former = {name: torch.from_numpy(np.array(value)) for name, value in {**imported.state, **focus}.items()}
    return {
        name: (1 - FORMER) * value.float() + FORMER * former[name] if name in former else value.float()
        for name, value in state.items()
    }


def read_student(state: dict[str, Tensor]) -> Learnt:
    """A student from its weights, with the word embeddings of e5-4. The head for urgency is learnt again."""
    layers = 1 + max(int(name.split(".layer.")[1].split(".")[0]) for name in state if ".layer." in name)
    words = torch.from_numpy(np.array(read_exported(E5_4).state[WORDS]))
    shape = config(read_pretrained(), len(words), layers, 0.0)
    shape.intermediate_size = len(state[INTERMEDIATE])
    net = Reader(BertModel(shape, add_pooling_layer=False), ABOVE)
    focus = Focus(np.ascontiguousarray(state["focus.weight"].T.numpy()), state["focus.bias"].numpy())
    net.load_state_dict({**{name: state[name] for name in net.state_dict() if name != WORDS}, WORDS: words})
    return Learnt(net.eval(), focus)


def urgent_head(network: OnnxNetwork, data: Path) -> Linear:
    """A logistic regression for each reason on the rows that enter the vector of meaning, as rounded: from our own sentences and
    comments, and from public comments in which no phrase finds a reason. The output `urgent` of `network` copies these rows."""
    own, whole = sentences(), comments(held_out=False)
    public = random.Random(1).sample(training_rows(data, MOST), CALM)
    calm = [row.text for row in public if not urgency_of(row.text, LATEST)]
    truth: list[tuple[Urgency | None, ...]] = [*((one.reason,) for one in own), *(comment.urgency for comment in whole)]
    truth += [()] * len(calm)
    rows, _ = rows_and_meanings(network, [*(one.text for one in own), *(comment.text for comment in whole), *calm])
    centre, spread = rows[-len(calm) :].mean(axis=0), rows[-len(calm) :].std(axis=0) + 1e-3
    scale = SPREAD / np.sqrt(rows.shape[1]) / spread
    fits = [
        regression((rows - centre) * scale, np.array([reason in reasons for reasons in truth]), STRENGTH) for reason in REASONS
    ]
    weights = np.concatenate([fit.coef_ for fit in fits]) * scale
    bias = np.concatenate([fit.intercept_ for fit in fits]) - weights @ centre
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


def joined_meaning(network: OnnxNetwork, data: Path) -> Linear:
    """The last step to the vector of meaning: it joins the network's own space of meanings and that of e5-4, by least squares.

    The own space knows our themes better, that of e5-4 other fields; both count alike. Of the pairs of vectors the 256 directions
    are kept that explain most of them.
    """
    public = random.Random(3).sample(training_rows(data, MOST), PUBLIC)
    texts = [*(row.text for row in public), *(comment.text for comment in comments(held_out=False))]
    texts += [piece.text for piece in split(pieces())[0]]
    copied, own = rows_and_meanings(network, texts)
    rows = np.column_stack([copied, np.ones(len(texts))]).astype(np.float64)
    gram = rows.T @ rows + RIDGE * len(rows) * np.eye(rows.shape[1])
    from_rows = rows @ np.linalg.solve(gram, rows.T @ meanings_of(E5_6, texts))
    pairs = np.column_stack([own, from_rows / np.linalg.norm(from_rows, axis=1, keepdims=True)])
    directions = np.linalg.svd(pairs[::2], full_matrices=False)[2][:MEANING]
    joined = pairs @ directions.T
    fitted = np.linalg.solve(gram, rows.T @ (joined / np.linalg.norm(joined, axis=1, keepdims=True)))
    return Linear(np.ascontiguousarray(fitted[:-1].T, np.float32), fitted[-1].astype(np.float32))


def rows_and_meanings(network: OnnxNetwork, texts: Sequence[str]) -> tuple[Floats, Floats]:
    """The rows (texts × hidden), which the head for urgency of this network copies, and the meanings (texts × dimensions)."""
    outcome = network([cased(text, LATEST) for text in texts])
    assert outcome.urgent is not None
    return outcome.urgent, outcome.meanings


def chosen(network: OnnxNetwork, dev: Sequence[Row], chosen_by: Sequence[Sentence]) -> TransformerFacts:
    """The temperature and all thresholds, by held-out rows, comments and sentences."""
    texts, held = [row.text for row in dev], comments(held_out=True)
    logits = network([cased(text, LATEST) for text in texts]).logits.astype(np.float64)
    warmth = choosing.honest_temperature(logits, np.array([row.kind for row in dev]))
    manner = Manner(1.0, LONG, improbable=IMPROBABLE, short=SHORT, doubt=DOUBT, whole=True)
    facts = TransformerFacts(MODEL, round(warmth, 4), manner, 1.0, BEHIND)
    scorer = TransformerScorer(network, facts)
    both = [*two_sided_texts(sheets()), *(comment.text for comment in held if comment.mixed)]
    one = [*two_sided_texts(sheets(), both=False), *(comment.text for comment in held if not comment.mixed)]
    pole, learnt = choosing.bars_for_mixed(texts, both, one, scorer.read, manner)
    manner = replace(manner, pole=pole, both=learnt)
    scorer = TransformerScorer(network, replace(facts, manner=manner))
    manner = replace(manner, urgent=lowest_bar(scorer, read_transformer(E5_6), chosen_by))
    return replace(facts, manner=manner, near=nearness(scorer, held))


def nearness(scorer: TransformerScorer, held: Sequence[LabelledComment]) -> float:
    """The threshold of themes with the highest F1 of the pairs of comment and theme."""
    points = points_of(read_default(), scorer.meanings)
    truth = np.array([[theme in comment.themes for theme in points.ids] for comment in held])
    likeness = [
        np.stack([passage.meaning for passage in opinion.passages]) @ points.at.T
        for opinion in scorer.score([comment.text for comment in held])
    ]

    def f1(bar: float) -> float:
        return choosing.f_measure(np.array([matches(one, bar, BEHIND).any(axis=0) for one in likeness]), truth)

    return max(choosing.BARS, key=f1)


if __name__ == "__main__":
    main()
