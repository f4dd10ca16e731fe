"""Gold: the judgements that stand, on comments that stand."""

from msgspec.structs import replace

from services.metrics.domain.comments import effective_themes
from services.metrics.domain.contributions import contributions
from services.metrics.domain.gold import Gold, gold
from services.metrics.domain.view import view
from shared.events import Event, Label, Opened, Override, Rating, Score, Spam, Theme, Ticket, Tombstone, text_hash
from tests.unit.metrics.build import MODEL, at, response, said, scored, words


def judged(seq: int, text: str, label: Label | None = None, *themes: str) -> Event:
    return said(seq, Override(comment=text_hash(text), label=label, themes=themes))


def gold_of(*events: Event, scores: dict[tuple[str, str], Score] | None = None) -> list[Gold]:
    return gold(view(events), scores or {}, MODEL)


def test_a_row_tells_the_text_the_humans_word_and_the_models() -> None:
    (row,) = gold_of(response(words("so")), judged(2, "so", "negative", "delivery"), scores=scored("so", 0.5, "positive"))
    assert row == Gold(text_hash("so"), at(0), "so", None, "negative", ("delivery",), MODEL, "positive")


def test_what_no_model_scored_is_gold_all_the_same() -> None:
    (row,) = gold_of(response(words("so")), judged(2, "so", "negative"), scores=scored("so", 0.5, "positive", model="e5-3"))
    assert (row.model, row.model_label) == (None, None)


def test_the_stated_language_stands_before_the_found_one() -> None:
    (found,) = [replace(score, language="nl") for score in scored("so", 0.5, "positive").values()]
    scores = {(MODEL, found.text_hash): found}
    (row,) = gold_of(response(words("so")), judged(2, "so", "negative"), scores=scores)
    assert row.language == "nl"
    (row,) = gold_of(response(replace(words("so"), language="de")), judged(2, "so", "negative"), scores=scores)
    assert row.language == "de"


def test_the_last_word_is_gold_and_one_taken_back_is_none() -> None:
    told = [response(words("so")), judged(2, "so", "negative"), judged(3, "so", "neutral")]
    assert [row.label for row in gold_of(*told)] == ["neutral"]
    assert gold_of(*told, judged(4, "so")) == []


def test_a_judgement_of_themes_alone_has_no_label() -> None:
    (row,) = gold_of(response(words("so")), judged(2, "so", None, "delivery"))
    assert (row.label, row.themes) == (None, ("delivery",))


def test_what_is_no_longer_said_or_counts_nowhere_or_is_erased_is_no_gold() -> None:
    edited = [response(words("so")), judged(2, "so", "negative"), response(words("fine now"), seq=3)]
    assert gold_of(*edited) == []
    ticket = [said(1, Ticket(facts=(Opened(at=at(0), text="so"),))), judged(2, "so", "negative")]
    assert len(gold_of(*ticket)) == 1
    assert gold_of(*ticket, said(3, Ticket(facts=(Spam(at=at(1)),)))) == []
    assert gold_of(*ticket, said(3, Tombstone())) == []


def test_a_text_said_twice_is_one_row_of_its_first_time() -> None:
    facts = (Opened(at=at(0), text="hello?"), Rating(at=at(9), value=1, text="so"), Rating(at=at(5), value=2, id="r", text="so"))
    (row,) = gold_of(said(1, Ticket(facts=facts)), judged(2, "so", "negative"))
    assert row.at == at(5)


def test_themes_of_a_human_are_spoken_of_as_the_model_found_else_as_the_human_judged_else_as_the_whole_text() -> None:
    score = Score(label="positive", score=0.5, confidence=1, themes=(Theme("price", -0.4),), text_hash="")
    assert effective_themes(score, None) == score.themes
    assert effective_themes(score, Override(comment="", label="negative")) == score.themes
    human = Override(comment="", label="negative", themes=("delivery", "price", "delivery"))
    assert effective_themes(score, human) == (Theme("delivery", -1.0), Theme("price", -0.4))
    assert effective_themes(score, replace(human, label=None)) == (Theme("delivery", 0.5), Theme("price", -0.4))
    assert effective_themes(replace(score, score=None), replace(human, label=None, themes=("x",))) == (Theme("x", 0.0),)


def test_a_judgement_of_an_erased_subject_counts_nothing() -> None:
    told = [response(words("so")), said(3, Tombstone()), judged(4, "so", "negative")]
    assert contributions(view(told), scored("so", 0.5, "positive")) == []
