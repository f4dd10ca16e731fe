"""Gold: the effective overrides of current comments."""

from msgspec.structs import replace

from services.metrics.domain.comments import effective_themes
from services.metrics.domain.contributions import contributions
from services.metrics.domain.gold import Gold, gold
from services.metrics.domain.view import view
from shared.events import Event, Label, Opened, Override, Rating, Score, Spam, ThemeScore, Ticket, Tombstone, text_hash
from tests.unit.metrics.build import MODEL, at, response, scored, statement, words


def override(seq: int, text: str, label: Label | None = None, *themes: str) -> Event:
    return statement(seq, Override(comment=text_hash(text), label=label, themes=themes))


def gold_of(*events: Event, scores: dict[tuple[str, str], Score] | None = None) -> list[Gold]:
    return gold(view(events), scores or {}, MODEL)


def test_a_row_has_the_text_the_humans_label_and_the_models() -> None:
    (row,) = gold_of(response(words("so")), override(2, "so", "negative", "delivery"), scores=scored("so", 0.5, "positive"))
    assert row == Gold(text_hash("so"), at(0), "so", None, "negative", ("delivery",), MODEL, "positive")


def test_a_comment_that_no_model_scored_is_gold_too() -> None:
    (row,) = gold_of(response(words("so")), override(2, "so", "negative"), scores=scored("so", 0.5, "positive", model="e5-4"))
    assert (row.model, row.model_label) == (None, None)


def test_a_stated_language_has_precedence_over_the_detected_one() -> None:
    (score,) = [replace(one, language="nl") for one in scored("so", 0.5, "positive").values()]
    scores = {(MODEL, score.text_hash): score}
    (row,) = gold_of(response(words("so")), override(2, "so", "negative"), scores=scores)
    assert row.language == "nl"
    (row,) = gold_of(response(replace(words("so"), language="de")), override(2, "so", "negative"), scores=scores)
    assert row.language == "de"


def test_the_latest_override_is_gold_and_a_withdrawn_one_is_not() -> None:
    events = [response(words("so")), override(2, "so", "negative"), override(3, "so", "neutral")]
    assert [row.label for row in gold_of(*events)] == ["neutral"]
    assert gold_of(*events, override(4, "so")) == []


def test_an_override_of_themes_alone_has_no_label() -> None:
    (row,) = gold_of(response(words("so")), override(2, "so", None, "delivery"))
    assert (row.label, row.themes) == (None, ("delivery",))


def test_an_edited_dropped_or_erased_comment_is_no_gold() -> None:
    edited = [response(words("so")), override(2, "so", "negative"), response(words("fine now"), seq=3)]
    assert gold_of(*edited) == []
    ticket = [statement(1, Ticket(facts=(Opened(at=at(0), text="so"),))), override(2, "so", "negative")]
    assert len(gold_of(*ticket)) == 1
    assert gold_of(*ticket, statement(3, Ticket(facts=(Spam(at=at(1)),)))) == []
    assert gold_of(*ticket, statement(3, Tombstone())) == []


def test_a_repeated_text_is_one_row_at_its_first_time() -> None:
    facts = (Opened(at=at(0), text="hello?"), Rating(at=at(9), value=1, text="so"), Rating(at=at(5), value=2, id="r", text="so"))
    (row,) = gold_of(statement(1, Ticket(facts=facts)), override(2, "so", "negative"))
    assert row.at == at(5)


def test_a_humans_theme_has_the_models_score_of_it_else_the_humans_label_else_the_score_of_the_text() -> None:
    score = Score(label="positive", score=0.5, confidence=1, themes=(ThemeScore("price", -0.4),), text_hash="")
    assert effective_themes(score, None) == score.themes
    assert effective_themes(score, Override(comment="", label="negative")) == score.themes
    human = Override(comment="", label="negative", themes=("delivery", "price", "delivery"))
    assert effective_themes(score, human) == (ThemeScore("delivery", -1.0), ThemeScore("price", -0.4))
    assert effective_themes(score, replace(human, label=None)) == (ThemeScore("delivery", 0.5), ThemeScore("price", -0.4))
    assert effective_themes(replace(score, score=None), replace(human, label=None, themes=("x",))) == (ThemeScore("x", 0.0),)


def test_an_override_of_an_erased_subject_contributes_nothing() -> None:
    events = [response(words("so")), statement(3, Tombstone()), override(4, "so", "negative")]
    assert contributions(view(events), scored("so", 0.5, "positive")) == []
