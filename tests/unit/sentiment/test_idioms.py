"""Idioms are written in plain words, since version 3 of the rules."""

import pytest

from services.sentiment.domain.idioms import IDIOMS, WORD, in_plain_words
from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.scoring import Comment, score_comments
from services.sentiment.network import read_transformer
from shared.events import Score
from tests.unit.sentiment.idiom_sentences import sentences

PLAIN = [
    ("The rooms weren't bad at all", "The rooms were really good"),
    ("I have never met such a patient technician", "I have met a really patient technician"),
    ("I have never been treated so rudely", "I have been treated so rudely"),
    ("You can't fault the packaging", "You really like the packaging"),
    ("I can't thank the team enough", "I thank the team very much"),
    ("3 of 3 suitcases were lost", "all suitcases were lost"),
    ("Der Fahrer war alles andere als höflich", "Der Fahrer war gar nicht höflich"),
    ("Freundlicher geht es kaum", "Das ist ausgezeichnet"),
    ("L'installation est on ne peut plus simple", "L'installation est extrêmement simple"),
    ("El portal no es nada práctico", "El portal no es práctico"),
]
"""Idioms, and how they are read."""
LITERAL = [
    "It was bad",
    "The food isn't that bad",
    "I don't do anything but wait",
    "I hope it doesn't get worse",
    "Das Essen ist nicht so schlecht",
    "Nobody reads my complaints",
    "No complaint was ever answered",
    "I can't recommend it",
    "That is not enough",
    "I never got an answer",
    "My app never loads",
    "10 out of 10 for the service",
    "3 of 5 parcels were broken",
    "The app doesn't get better",
    "Mein Router geht nicht",
    "Leider geht es nicht",
    "Weiter geht es nicht",
    "Es war nie so schnell wie versprochen",
    "Das ist nicht schlechter als vorher",
    "Il y a pas mal de problèmes",
    "On ne peut plus se connecter",
    "Jamais aussi rapide que promis",
    "No me llega nada",
    "Nunca tan barato como dicen",
    "Mi fa male la schiena",
    "Het werkt nooit zo snel als beloofd",
    "Alles behalve de factuur is aangekomen",
]
"""Sentences with some of the same words that mean what they say."""


@pytest.mark.parametrize(("text", "plain"), PLAIN)
def test_an_idiom_is_written_in_plain_words(text: str, plain: str) -> None:
    assert (cased(text, 3), cased(text, 2)) == (plain, text)


@pytest.mark.parametrize("text", LITERAL)
def test_words_that_mean_what_they_say_stay(text: str) -> None:
    assert in_plain_words(text) == text


def test_an_idiom_inside_a_longer_text_leaves_the_rest_as_it_is() -> None:
    text = "Checking in was slow. The rooms weren't bad at all, but the pool was closed"
    assert in_plain_words(text) == "Checking in was slow. The rooms were really good, but the pool was closed"


def test_a_shouted_idiom_is_read_like_a_spoken_one() -> None:
    assert cased("THE ROOMS WEREN'T BAD AT ALL", 3) == "the rooms were really good"


@pytest.mark.parametrize("place", range(len(IDIOMS)))
def test_every_cue_is_one_word_in_lower_case(place: int) -> None:
    assert all(WORD.fullmatch(cue) and cue == cue.lower() for cue in IDIOMS[place][0])


def test_most_families_have_a_sentence_here() -> None:
    texts = [text for text, _ in sentences()]
    used = [
        any(idiom.pattern.search(text) and not cues.isdisjoint(WORD.findall(text.lower())) for text in texts)
        for cues, idiom in IDIOMS
    ]
    assert sum(used) >= 0.6 * len(IDIOMS)


def test_far_more_idioms_are_read_right_than_before() -> None:
    texts, labels = zip(*sentences(), strict=True)
    scorer = read_transformer()
    scores = score_comments(scorer, [Comment(text, None) for text in texts])
    right = sum(isinstance(score, Score) and score.label == label for score, label in zip(scores, labels, strict=True))
    assert right / len(texts) >= 0.9
