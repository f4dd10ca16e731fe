"""Theme data: gold has the themes of the taxonomy and is not in the training, and there are enough pieces to learn from."""

from collections import Counter
from pathlib import Path

import pytest

from services.sentiment.domain.languages import SERVED
from services.sentiment.domain.reading import pieces as cut
from services.sentiment.domain.versions import LATEST
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.own.templates import own_rows
from services.sentiment.training.themes.data import NONE, elsewhere, gold, newer_gold, pieces, pieces_of
from shared.taxonomy import Taxonomy
from tests.unit.sentiment.copies import copies


def test_a_copy_is_detected_and_a_similar_text_is_not() -> None:
    assert copies(["The parcel came late!"], ["the parcel came late"]) == [("The parcel came late!", "the parcel came late")]
    assert copies(["The parcel came late again, sadly"], ["The parcel came late"])
    assert not copies(["My parcel never came"], ["The parcel came late"])


def test_gold_has_english_first_and_every_served_language() -> None:
    assert Counter(comment.lang for comment in gold()) == {"en": 160, **dict.fromkeys(SERVED - {"en"}, 20)}


def test_gold_has_comments_without_a_theme_and_comments_with_several() -> None:
    kinds = Counter(min(len(comment.themes), 2) for comment in gold())
    assert kinds[0] >= 0.15 * len(gold())
    assert kinds[2] >= 0.25 * len(gold())


def test_gold_knows_every_theme_of_the_taxonomy_and_no_other() -> None:
    ids = {theme.id for theme in read_default().themes}
    counts = Counter(theme for comment in gold() for theme in comment.themes)
    assert set(counts) == ids
    assert min(counts.values()) >= 10


@pytest.mark.parametrize("polarity", ["neg", "neu", "pos"])
def test_gold_has_themes_of_each_polarity(polarity: str) -> None:
    assert sum(polarity in comment.themes.values() for comment in gold()) >= 15


def test_comments_are_unique_and_not_copied_from_the_taxonomy() -> None:
    texts = [comment.text for comment in gold()]
    assert len({text.casefold() for text in texts}) == len(texts)
    assert not copies(texts, [example for theme in read_default().themes for example in theme.examples])


def ids(taxonomy: Taxonomy) -> set[str]:
    return {theme.id for theme in taxonomy.themes}


def test_a_file_of_pieces_has_themes_and_its_name_the_language(tmp_path: Path) -> None:
    file = tmp_path / "shops.de.toml"
    file.write_text('price = ["zu teuer", "billig"]\nnone = ["naja"]\n')
    assert pieces_of(file) == [("zu teuer", "price", "de"), ("billig", "price", "de"), ("naja", NONE, "de")]


def test_there_are_pieces_of_every_theme_in_every_served_language() -> None:
    counts = Counter((piece.theme, piece.lang) for piece in pieces())
    for lang in SERVED:
        assert counts[NONE, lang] >= (60 if lang == "en" else 10)
        assert all(counts[theme, lang] >= (40 if lang == "en" else 8) for theme in ids(read_default())), lang
        assert all(counts[theme, lang] >= (12 if lang == "en" else 1) for theme in ids(elsewhere())), lang


def test_pieces_have_known_themes_or_those_of_many_other_fields() -> None:
    assert {piece.theme for piece in pieces()} == ids(read_default()) | ids(elsewhere()) | {NONE}
    assert len(ids(elsewhere())) >= 20
    assert not ids(read_default()) & ids(elsewhere())


def test_the_service_does_not_split_a_piece() -> None:
    assert [piece.text for piece in pieces() if len(cut(piece.text, LATEST)) > 1] == []


def test_pieces_are_unique_within_a_language() -> None:
    counts = Counter((piece.text.casefold(), piece.lang) for piece in pieces())
    assert [text for text, times in counts.items() if times > 1] == []


def test_newer_gold_has_every_language_theme_reason_and_mixed_comments() -> None:
    comments = newer_gold()
    assert Counter(comment.lang for comment in comments) == {"en": 60, **dict.fromkeys(SERVED - {"en"}, 20)}
    assert min(Counter(theme for comment in comments for theme in comment.themes).values()) >= 8
    assert min(Counter(reason for comment in comments for reason in comment.urgency).values()) >= 8
    assert sum(comment.mixed for comment in comments) >= 30
    assert {theme for comment in comments for theme in comment.themes} == ids(read_default())


def test_newer_gold_copies_no_other_labelled_comment() -> None:
    assert copies([comment.text for comment in newer_gold()], [comment.text for comment in gold()]) == []


def test_newer_gold_is_not_in_training() -> None:
    assert (
        copies([comment.text for comment in newer_gold()], {row.text for row in own_rows(held_out=False, most_per_template=2)})
        == []
    )


def test_training_pieces_copy_neither_gold_nor_the_taxonomy() -> None:
    texts = [piece.text for piece in pieces()]
    assert copies(texts, [comment.text for comment in (*gold(), *newer_gold())]) == []
    assert copies(texts, [example for theme in read_default().themes for example in theme.examples]) == []
