"""Write e5-6: e5-5 with a head for urgency that reads more numbers and has learnt more sentences. All other outputs are equal.

python -m services.sentiment.training.urgency_head --data FOLDER --choose-by FILE...

The head is a logistic regression for each reason on the mean rows that enter the vector of meaning: 384 numbers in place of 256,
before the steps that bring pieces of one theme together. A `FILE` holds lines of `{"text", "language", "reason"}`, sentences on
which the phrases were tuned (`urgent_tuned.jsonl`, `urgent_newer.jsonl`, `urgent_families.jsonl` in tests/unit/sentiment). They
choose the threshold: the lowest at which phrases and head together are right as often as those of e5-5.
"""

import argparse
import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import NodeProto, helper

from services.sentiment.domain.reading import Manner, opinions
from services.sentiment.domain.transformer import TransformerScorer
from services.sentiment.domain.urgency import REASONS, urgency_of
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import E5_4, E5_5, E5_6, read_transformer, tokenizer_of
from services.sentiment.training.data import training_rows
from services.sentiment.training.encoder import MEANING
from services.sentiment.training.examples import MOST
from services.sentiment.training.finishing import meanings_of
from services.sentiment.training.sharing import Rewriting, share, unmasked
from services.sentiment.training.urgent.data import Sentence, sentences
from services.sentiment.training.urging import Floats, Linear, regression

CALM = 24_000
"""Public comments that are taken to have no reason; those in which a phrase finds one are left out."""
STRENGTH = 1.0
"""Inverse strength of the regularisation."""
SPREAD = 2.0
"""The length of a standardised row of average numbers."""
BARS = tuple(round(float(bar), 2) for bar in np.arange(0.8, 1, 0.01))
"""Possible thresholds. From the lowest on, at most five of 10,000 public comments of dev are flagged."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--choose-by", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    write_network(fitted_head(options.data), E5_6)
    decode = msgspec.json.Decoder(Sentence).decode
    chosen_by = [decode(line) for file in options.choose_by for line in file.read_bytes().splitlines()]
    bar = lowest_bar(read_transformer(E5_6), read_transformer(E5_5), chosen_by)
    model = onnx.load(E5_6, load_external_data=False)
    state_bar(model, bar)
    E5_6.write_bytes(model.SerializeToString())
    print(f"{E5_6.name}: {E5_6.stat().st_size} bytes, threshold {bar}")


def fitted_head(data: Path) -> Linear:
    """The head, from our own sentences and public comments."""
    public = random.Random(1).sample(training_rows(data, MOST), CALM)
    calm = [row.text for row in public if not urgency_of(row.text, LATEST)]
    own = sentences()
    rows = mean_rows([*(one.text for one in own), *calm])
    centre, spread = rows[len(own) :].mean(axis=0), rows[len(own) :].std(axis=0) + 1e-3
    scale = SPREAD / np.sqrt(rows.shape[1]) / spread
    truth = [*(one.reason for one in own), *([None] * len(calm))]
    fits = [regression((rows - centre) * scale, np.array([one == reason for one in truth]), STRENGTH) for reason in REASONS]
    weights = np.concatenate([fit.coef_ for fit in fits]) * scale
    bias = np.concatenate([fit.intercept_ for fit in fits]) - weights @ centre
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


def mean_rows(texts: Sequence[str]) -> Floats:
    """The means of each text's rows that enter its vector of meaning (texts × hidden)."""
    rewriting = unmasked(E5_4)
    meaning = maker(rewriting, "meaning")
    rewriting.replace(
        meaning, helper.make_node("Squeeze", [rows_of_meanings(rewriting), rewriting.constant(np.array([2]))], ["meaning"])
    )
    rewriting.prune()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.onnx")
        path.write_bytes(rewriting.model.SerializeToString())
        shutil.copy(tokenizer_of(E5_4), tokenizer_of(path))
        return meanings_of(path, texts)


def write_network(head: Linear, path: Path) -> None:
    """Write the network of e5-5 with another head for urgency."""
    rewriting = unmasked(E5_4)
    added = rewriting.producer(maker(rewriting, "urgent").input[0])
    assert added is not None
    squeezed = rewriting.producer(added.input[0])
    assert squeezed is not None
    product = rewriting.producer(squeezed.input[0])
    assert product is not None
    product.input[:] = [rewriting.constant(head.weights), rows_of_meanings(rewriting)]
    added.input[1] = rewriting.constant(head.bias)
    rewriting.prune()
    facts = {one.key: one.value for one in rewriting.model.metadata_props}
    helper.set_model_props(rewriting.model, facts | {"version": "6", "rules": str(LATEST)})
    share(rewriting.model, E5_4)
    path.write_bytes(rewriting.model.SerializeToString())


def maker(rewriting: Rewriting, output: str) -> NodeProto:
    """The node that makes an output of the graph."""
    node = rewriting.producer(output)
    assert node is not None
    return node


def rows_of_meanings(rewriting: Rewriting) -> str:
    """The name of the mean rows that enter the vector of meaning (texts × hidden × 1)."""
    products = [node for node in rewriting.graph.node if node.op_type == "MatMul"]
    weights = {str(node.input[1]): rewriting.value(node.input[0]) for node in products}
    return next(rows for rows, one in weights.items() if one is not None and one.shape[0] == MEANING < one.shape[1])


def lowest_bar(scorer: TransformerScorer, before: TransformerScorer, chosen_by: Sequence[Sentence]) -> float:
    """The lowest threshold at which the reasons of `scorer` and of phrases are right as often as those of `before`."""
    aim = precision(before, before.manner, chosen_by)
    return next(bar for bar in BARS if precision(scorer, replace(scorer.manner, urgent=bar), chosen_by) >= aim)


def precision(scorer: TransformerScorer, manner: Manner, sentences: Sequence[Sentence]) -> float:
    """The share of the reasons of phrases and head that are right."""
    read = opinions([one.text for one in sentences], scorer.read, manner, LATEST)
    predicted = [
        ({*urgency_of(one.text, LATEST)} - {*opinion.improbable}) | {*opinion.urgency}
        for one, opinion in zip(sentences, read, strict=True)
    ]
    right = sum(one.reason in reasons for one, reasons in zip(sentences, predicted, strict=True))
    return right / sum(map(len, predicted))


def state_bar(model: onnx.ModelProto, bar: float) -> None:
    """Write the threshold into the facts of a graph."""
    facts = {one.key: one.value for one in model.metadata_props}
    helper.set_model_props(model, facts | {"urgent": str(bar)})


if __name__ == "__main__":
    main()
