"""Themes: their points among meanings, the themes of a comment, and their scores."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from services.sentiment.domain.reading import Manner, Meanings
from services.sentiment.domain.scorer import Model, Passage
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.themes import Finder, matches, points_of
from services.sentiment.domain.transformer import Outcome, TransformerFacts, TransformerScorer
from services.sentiment.network import read_transformer
from services.sentiment.scorers import finder_of
from services.sentiment.taxonomy_cache import read_default
from services.sentiment.training.themes.data import gold
from services.sentiment.training.theming import counted, theme_figures
from shared.events import Score, ThemeScore
from shared.taxonomy import Taxonomy, ThemeDefinition

AXES = {"delivery": 0, "parcel": 0, "price": 1, "cheap": 1, "staff": 2}
SHIPPED = read_default()
TWO = Taxonomy(
    3,
    (
        ThemeDefinition("delivery", "Delivery", "delivery", ("the parcel", "parcel late")),
        ThemeDefinition("price", "Price", "price", ("cheap",)),
    ),
)


class Meaning:
    """A fake embedding by the words of a text, which counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, texts: Sequence[str]) -> Meanings:
        self.calls += 1
        axes = np.zeros((len(texts), 4), np.float32)
        for row, text in zip(axes, texts, strict=True):
            for word, axis in AXES.items():
                row[axis] += word in text.lower()
        axes[:, 3] += axes.sum(axis=1) == 0
        normed: Meanings = axes / np.linalg.norm(axes, axis=1, keepdims=True)
        return normed


def passage(text: str, score: float) -> Passage:
    return Passage(score, Meaning()([text])[0])


def find(*passages: Passage, taxonomy: Taxonomy = TWO) -> tuple[ThemeScore, ...]:
    return Finder(Meaning(), near=0.6).themes(taxonomy, passages)


def test_a_passage_matches_the_themes_near_to_it() -> None:
    assert find(passage("the parcel", -0.8)) == (ThemeScore("delivery", -0.8),)
    assert find(passage("parcel and price", 0.5)) == (ThemeScore("delivery", 0.5), ThemeScore("price", 0.5))
    assert find(passage("the staff", 0.9)) == ()


def test_a_theme_has_the_mean_score_of_its_passages() -> None:
    themes = find(passage("the parcel", -0.8), passage("cheap", 0.9), passage("delivery", -0.4))
    assert {theme.theme: theme.score for theme in themes} == {"delivery": pytest.approx(-0.6), "price": 0.9}


def test_a_theme_far_below_the_likeliest_does_not_match() -> None:
    likeness = np.array([[0.8, 0.77, 0.7], [0.3, 0.1, 0.29]], np.float32)
    assert matches(likeness, near=0.2).tolist() == [[True, True, False], [True, False, True]]
    assert matches(np.array([[0.5, 0.45, 0.4499]], np.float32), near=0.2).tolist() == [[True, True, False]]
    assert matches(np.array([[0.5, 0.47, 0.45]], np.float32), near=0.2, behind=0.03).tolist() == [[True, True, False]]


def test_how_far_a_theme_may_be_below_the_likeliest_is_a_fact_of_the_network() -> None:
    slanted = Passage(0.5, np.array([0.8, 0.6, 0, 0], np.float32))

    def themes(behind: float) -> list[str]:
        def network(texts: Sequence[str]) -> Outcome:
            return Outcome(np.zeros((len(texts), 3), np.float32), Meaning()(texts))

        scorer = TransformerScorer(network, TransformerFacts(Model("x", "1", 3), 1.0, Manner(0.7, 300), 0.5, behind))
        finder = finder_of(scorer)
        assert finder is not None
        return [theme.theme for theme in finder.themes(TWO, [slanted])]

    assert themes(0.1) == ["delivery"]
    assert themes(0.3) == ["delivery", "price"]


def test_no_passages_have_no_themes() -> None:
    assert find() == ()


def test_a_theme_without_examples_matches_by_its_description() -> None:
    bare = Taxonomy(1, (ThemeDefinition("people", "Staff", "the staff"),))
    assert find(passage("your staff", 0.2), taxonomy=bare) == (ThemeScore("people", 0.2),)


def test_points_are_computed_once_per_taxonomy_in_several_threads() -> None:
    meaning = Meaning()
    finder = Finder(meaning, near=0.6)
    finder.themes(TWO, [passage("the parcel", 0.1)])
    again = Taxonomy(TWO.revision + 1, tuple(TWO.themes))
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: finder.themes(again, [passage("the parcel", 0.1)]), range(20)))
    assert set(results) == {(ThemeScore("delivery", 0.1),)}
    assert meaning.calls == 1


def test_points_are_unit_vectors() -> None:
    assert np.linalg.norm(points_of(TWO, Meaning()).at, axis=1) == pytest.approx([1, 1])


def test_polarity_and_presence_are_counted_separately() -> None:
    figures = counted([{"delivery": 1, "price": -1}, {}], [{"delivery": -1}, {"price": 0}])
    assert (figures.precision, figures.recall, figures.polarity) == (0.5, 0.5, 0.0)


def test_the_shipped_model_finds_the_themes_of_comments_labelled_by_hand() -> None:
    figures = theme_figures(read_transformer(), gold())
    assert figures.f1 >= 0.75
    assert figures.polarity >= 0.75


def test_a_score_has_its_themes_and_their_revision() -> None:
    scorer = read_transformer()
    finder = Finder(scorer.meanings, scorer.near)
    text = "The parcel arrived two weeks late. But your agent on the phone was wonderful and very patient!"
    (score,) = score_comments(scorer, [Comment(text, "en", Taxonomy(7, SHIPPED.themes))], finder)
    assert isinstance(score, Score)
    by_theme = {theme.theme: theme.score for theme in score.themes}
    assert score.taxonomy == 7
    assert by_theme["delivery"] < 0 < by_theme["support_agent"]


def test_own_themes_need_no_training() -> None:
    scorer = read_transformer()
    finder = Finder(scorer.meanings, scorer.near)
    own = Taxonomy(
        1,
        (
            ThemeDefinition("breakfast", "Breakfast", "The breakfast and the buffet", ("the buffet was cold", "great breakfast")),
            ThemeDefinition("pool", "Pool", "The swimming pool", ("the pool was closed", "lovely pool")),
        ),
    )
    (score,) = score_comments(scorer, [Comment("Das Frühstücksbuffet war jeden Morgen leer", "de", own)], finder)
    assert isinstance(score, Score)
    assert [theme.theme for theme in score.themes] == ["breakfast"]
