"""The versions of the rules around a model: version 1 scores as ever, version 2 reads and limits as documented."""

from collections.abc import Sequence

import pytest

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.scorer import Model, Opinion
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.domain.versions import BAR, INSIDE, limited_score
from services.sentiment.network import E5, E5_4, E5_5, E5_6, PREVIOUS_E5, read_transformer
from services.sentiment.weights import read_linear
from shared.events import Label, Score, text_hash
from tests.unit.sentiment.mails import GMAIL, OWN

LETTER = f"{OWN['en']}\n\n{GMAIL['en']}\n> Thank you so much, great!"


class Praises:
    """A model to which "great" is praise and everything else a complaint; it records what it reads."""

    def __init__(self, rules: int) -> None:
        self.model = Model("praises", "1", rules)
        self.texts: list[str] = []

    def score(self, texts: Sequence[str]) -> list[Opinion]:
        self.texts += texts
        return [Opinion("positive", 0.04, 0.4) if "great" in text else Opinion("negative", -0.04, 0.4) for text in texts]


def score_of(text: str, rules: int) -> Score:
    (score,) = score_comments(Praises(rules), [Comment(text, "en")])
    assert isinstance(score, Score)
    return score


def test_the_shipped_models_have_the_version_with_which_they_were_calibrated() -> None:
    models = (*(read_transformer(path).model for path in (E5, E5_6, E5_5, E5_4, PREVIOUS_E5)), read_linear().model)
    assert [(str(model), model.rules) for model in models] == [
        ("e5-7", 3), ("e5-6", 3), ("e5-5", 3), ("e5-4", 2), ("e5-2", 1), ("linear-2", 1),
    ]  # fmt: skip


def test_version_1_reads_the_quoted_answer_too_and_version_2_does_not() -> None:
    assert score_of(LETTER, 1).label == "positive"
    assert score_of(LETTER, 2).label == "negative"


def test_the_score_belongs_to_the_whole_text() -> None:
    assert score_of(LETTER, 2).text_hash == text_hash(LETTER)


def test_the_model_reads_the_text_of_html() -> None:
    scorer = Praises(2)
    score_comments(scorer, [Comment("<p>It <b>fails</b></p><style>great</style>", None)])
    assert scorer.texts == ["It fails"]


def test_the_length_of_the_own_part_decides_whether_a_text_is_truncated() -> None:
    quoted = f"Too slow.\n{GMAIL['en']}\n" + "> kind words\n" * 1_000
    assert score_of(quoted, 1).flags == ("truncated",)
    assert score_of(quoted, 2).flags == ()


def test_the_urgency_is_that_of_the_own_part() -> None:
    text = f"Thanks, all is well.\n{GMAIL['en']}\n> I will sue you"
    assert score_of(text, 1).urgency == ("legal_threat",)
    assert score_of(text, 2).urgency == ()


def test_an_automatic_reply_is_a_non_answer_since_version_2() -> None:
    text = "Automatic reply: I am out of the office until Monday"
    assert score_of(text, 1).label is not None
    score = score_of(text, 2)
    assert (score.label, score.score, score.flags) == (None, None, ("non_answer", "auto_reply"))


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Die neue App ist SCHLECHT", "Die neue App ist SCHLECHT", "Die neue App ist schlecht"),
        ("Your new app is SLOW", "Your new app is SLOW", "Your new app is slow"),
        ("NO help at ALL from IBM's support", "NO help at ALL from IBM's support", "no help at all from ibm's support"),
        ("I rang. A Nokia.", "I rang. A Nokia.", "I rang. A Nokia."),
        ("iPhone mit WLAN-Router", "iPhone mit WLAN-Router", "iPhone mit wlan-Router"),
        ("WORST SERVICE EVER I SAW", "worst service ever i saw", "worst service ever i saw"),
        ("ÜBEL", "ÜBEL", "übel"),
    ],
)
def test_words_in_capitals_are_lowered_one_by_one_since_version_2(text: str, first: str, second: str) -> None:
    assert (cased(text, 1), cased(text, 2)) == (first, second)


@pytest.mark.parametrize("word", ["slow", "schlecht", "not", "lent", "pésimo", "mai", "péssima", "slecht"])
def test_a_shouted_word_is_read_like_a_spoken_one(word: str) -> None:
    assert cased(f"The app is {word.upper()} today", 2) == cased(f"The app is {word} today", 2)


@pytest.mark.parametrize(
    ("label", "score", "limited"),
    [
        ("positive", 0.8, 0.8),
        ("positive", 0.04, BAR),
        ("negative", -0.04, -BAR),
        ("negative", -1.0, -1.0),
        ("neutral", 0.27, INSIDE),
        ("neutral", -0.4, -INSIDE),
        ("neutral", 0.1, 0.1),
    ],
)
def test_a_score_is_within_the_range_of_its_label(label: Label, score: float, limited: float) -> None:
    assert limited_score(label, score) == limited


@pytest.mark.parametrize("rules", [2, 3])
@pytest.mark.parametrize("text", ["4/10", "7/10", "5/10", "6/10", "3 stars", "2 stars", "👍", "👎", "👍👎", "great", "bad"])
def test_label_and_score_agree_whoever_decides(text: str, rules: int) -> None:
    score = score_of(text, rules)
    assert score.score is not None
    assert score.label == ("positive" if score.score >= BAR else "negative" if score.score <= -BAR else "neutral")


def test_version_1_stores_the_score_as_it_is() -> None:
    assert score_of("bad", 1).score == -0.04
