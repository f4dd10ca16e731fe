"""The steps of a training, and its end: round the network, choose its thresholds, write its files and its card."""

import argparse
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import Manner, Meanings
from services.sentiment.domain.scorer import Model
from services.sentiment.domain.themes import matches
from services.sentiment.domain.transformer import Network, TransformerFacts, TransformerScorer, sigmoid
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import OnnxNetwork, read_transformer, tokenizer_of
from services.sentiment.training import choosing
from services.sentiment.training.card import LIMITS, write_card
from services.sentiment.training.data import Row, choosing_rows
from services.sentiment.training.encoder import Reader
from services.sentiment.training.export import Endings, export, state_facts
from services.sentiment.training.fitting import Ids, flows
from services.sentiment.training.meaning import focused, split
from services.sentiment.training.newer import newer_figures
from services.sentiment.training.themes.data import gold, pieces
from services.sentiment.training.theming import likenesses, theme_figures
from services.sentiment.training.two_sided.data import sheets, two_sided_texts
from services.sentiment.training.urgent import data as urgent
from services.sentiment.training.urging import Linear, bar_for_urgency, fit_reasons
from services.sentiment.weights import MODELS

MODEL = Model("e5", "8", LATEST)
"""The model that a training makes. Raise its version first: a training overwrites the files of this name."""
NAME = f"{MODEL}.onnx"
LONG = 300
"""Characters from which on a text gets the mean of its pieces: the network was trained on 80 tokens."""
MEASURED = 1_000
"""Texts for measuring the quantization units of activations."""
CALM = 4_000
"""Public comments among the texts from which urgency is learnt."""


@dataclass(frozen=True, slots=True)
class Work:
    """The folders of labelled comments and of the steps' results."""

    data: Path
    folder: Path


class Fitted(NamedTuple):
    """A fitted network. `rows`: those that it was trained on. `about`: how it was made, for its card. `before`: the model that it
    refines."""

    net: Reader
    tokenizer: Tokenizer
    rows: Sequence[Row]
    about: Mapping[str, Any]
    before: TransformerScorer | None = None


Steps = Mapping[str, tuple[str, Callable[[Any], None]]]
"""The steps of a training by name: the file that each leaves, and its function."""


def run_steps(make: Callable[[Path, Path], Any], steps: Steps, description: str | None, arguments: Sequence[str] | None) -> None:
    """The command of a training: run the steps whose files the work folder lacks."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--until", choices=steps)
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    work = make(options.data, options.work)
    for name, (leaves, step) in steps.items():
        if not (options.work / leaves).exists():
            print(name, flush=True)
            step(work)
        if name == options.until:
            break


def ids_of(tokenizer: Tokenizer, texts: Sequence[str], lead: str = "") -> Ids:
    """The tokens of texts as the network reads them; `lead` comes before each."""
    return [encoding.ids for encoding in tokenizer.encode_batch([lead + cased(text, LATEST) for text in texts])]


def finish(fitted: Fitted, data: Path, folder: Path) -> None:
    """Quantize a network, choose its thresholds by held-out rows, and write its files and its card among the models."""
    net, path = fitted.net, folder / "shipped" / NAME
    path.parent.mkdir(exist_ok=True)
    fitted.tokenizer.save(str(tokenizer_of(path)), pretty=False)
    sample = random.Random(0).sample(fitted.rows, MEASURED)
    met = flows(net, ids_of(fitted.tokenizer, [row.text for row in sample]))
    export(net, path, met)
    learnt, _ = split(pieces())
    focus = focused(meanings_of(path, [piece.text for piece in learnt]), [piece.theme for piece in learnt])
    export(net, path, met, Endings(focus))
    export(net, path, met, Endings(focus, urgent_head(path, fitted.rows)))
    facts = chosen(OnnxNetwork(path), choosing_rows(data), fitted.before)
    state_facts(path, facts)
    scorer = read_transformer(path)
    write_card(path.with_suffix(".json"), scorer, {**fitted.about, **figures_of(scorer, facts)}, fitted.rows, data)
    for made in path.parent.iterdir():
        shutil.copy(made, MODELS)


def meanings_of(path: Path, texts: Sequence[str]) -> Meanings:
    """The meanings of texts by the network in a file."""
    return OnnxNetwork(path)([cased(text, LATEST) for text in texts]).meanings


def urgent_head(path: Path, rows: Sequence[Row]) -> Linear:
    """The head for urgency on the meanings of the network in a file, with some of its training rows as texts without a reason."""
    sentences = urgent.sentences()
    calm = random.Random(0).sample([row.text for row in rows if not row.source.startswith("own_")], CALM)
    meant = meanings_of(path, [*(sentence.text for sentence in sentences), *calm])
    return fit_reasons(meant, [*(sentence.reason for sentence in sentences), *([None] * CALM)])


def chosen(network: Network, dev: Sequence[Row], before: TransformerScorer | None) -> TransformerFacts:
    """The temperature and the thresholds for `mixed`, urgency and themes. `before`: the model that it refines, if any."""
    texts = [row.text for row in dev]
    outcome = network([cased(text, LATEST) for text in texts])
    assert outcome.urgent is not None
    warmth = choosing.honest_temperature(outcome.logits.astype(np.float64), np.array([row.kind for row in dev]))
    facts = TransformerFacts(MODEL, round(warmth, 4), Manner(1.0, LONG), 1.0)

    scorer = TransformerScorer(network, facts)
    pole, both = choosing.bars_for_mixed(
        texts, two_sided_texts(sheets()), two_sided_texts(sheets(), both=False), scorer.read, facts.manner
    )
    near = between(scorer, before) if before else choosing.nearness(*likenesses(scorer, split(pieces())[1]))
    urgent_bar = bar_for_urgency(sigmoid(outcome.urgent.astype(np.float64)))
    return replace(facts, manner=Manner(pole, LONG, both, urgent_bar), near=near)


def between(scorer: TransformerScorer, before: TransformerScorer) -> float:
    """The threshold halfway between two others: at one, as many themes of held-out pieces are found as by the model `before`; at
    the other, they are right as often. On these pieces a better model then finds more themes, and they are right more often.
    """
    held_out = split(pieces())[1]
    former, bears = likenesses(before, held_out)
    former_matches = matches(former, before.near)
    likeness, _ = likenesses(scorer, held_out)
    as_many = choosing.nearness_of_as_many(likeness, int(former_matches.sum()))
    precision = choosing.precision_of(former_matches, bears)
    return round((as_many + choosing.nearness_of_precision(likeness, bears, precision)) / 2, 3)


def figures_of(scorer: TransformerScorer, facts: TransformerFacts) -> dict[str, Any]:
    """The card's entries of this model alone, apart from how it was made."""
    return {
        "chosen": {
            "temperature": facts.temperature,
            "pole": facts.manner.pole,
            "both": facts.manner.both,
            "urgent": facts.manner.urgent,
            "improbable": facts.manner.improbable,
            "doubt": facts.manner.doubt,
            "near": facts.near,
            "behind": facts.behind,
        },
        "themes": {
            "gold": "300 comments written and labelled for Earshot before any model saw them (training/themes/gold.jsonl)",
            **{name: round(value, 4) for name, value in theme_figures(scorer, gold())._asdict().items()},
        },
        "newer": {
            "gold": "200 comments labelled by docs/labelling.md before any model saw them (training/themes/gold_2.jsonl)",
            **newer_figures(scorer),
        },
        "limits": [
            *LIMITS,
            "Sarcasm is often read as it is written.",
            "On processors without VNNI (before about 2019) sums of eight-bit products may saturate: scores differ there.",
        ],
    }
