"""Ratings in words, in every served language, and numbers that are no ratings."""

import pytest

from services.sentiment.domain.ratings import rating_opinion

GOOD = """
10/10|9/10|5/5|4 stars|5 stars!|Five stars|four out of five|10 out of 10|I give it 5 stars|I would rate it 9/10|Rating: 5/5
10/10 would buy again|8 out of 10|100/100|4.5/5|4,5/5|5 star|9 / 10
10 von 10|9 von 10 Punkten|5 Sterne|fünf Sterne|4 von 5 Sternen|zehn von zehn|Ich gebe 5 Sterne|5 von 5
10 sur 10|18/20|5 étoiles|cinq étoiles|4 sur 5|dix sur dix|Je donne 5 étoiles|9 sur 10
10 de 10|5 estrellas|cinco estrellas|4 de 5|diez de diez|Le doy 5 estrellas|9 de 10 puntos
10 su 10|5 stelle|cinque stelle|4 su 5|dieci su dieci|9 su 10
10 de 10|5 estrelas|cinco estrelas|dez de dez|Dou 5 estrelas|nota 10/10
10 van 10|5 sterren|vijf sterren|4 van de 5|tien van de tien|ik geef 5 sterren
10 من 10|5 نجوم|9/10 ممتاز
★★★★★|⭐⭐⭐⭐|★★★★☆|⭐️⭐️⭐️⭐️⭐️
"""
POOR = """
0/10|1/10|0/10, would not recommend|1 star|one star|zero stars|2 out of 10|1/5|Only 1 star|0 out of 5|3/10|0/100|2 stars
0 von 10|1 Stern|null Sterne|ein Stern|1 von 5|Nur 1 Stern|Bewertung: 2/10
0 sur 10|1 étoile|zéro étoile|une étoile|2 sur 10|note 1/5|5/20
0 de 10|1 estrella|cero estrellas|una estrella|1 de 5
0 su 10|1 stella|una stella|zero stelle|2 su 5
0 de 10|1 estrela|uma estrela|zero estrelas
0 van 10|1 ster|één ster|nul sterren|1 van de 5
0 من 10|1 من 5
★☆☆☆☆|★★☆☆☆|⭐⭐
"""
MIDDLING = "3 stars|5/10|3/5|6/10|3 von 5|drei Sterne|3 étoiles|5 sur 10|tres estrellas|3 su 5|3 estrelas|3 van de 5|★★★☆☆|3 نجوم"
NONE = """
The 5 star hotel lost our bags|We stayed in a hotel with 5 stars|24/7 support|I ordered 10 of them
It came on 3/10/2026|2 of 10 parcels arrived broken and nobody answered my mail
1 star for delivery, 5 stars for the product|11/10|Delivery 0/10, product 9/10|stars|10|5|I waited 3 of 5 days
⭐|★★★★★★|10/10/2026|3/4|9/11|We are 4 of 5 in the family and all of us like it
Die 5 Sterne haben sie nicht verdient, weil der Kundendienst nie antwortet|15 de 10|1 de 50|Version 2/10b
"""


def cases(text: str) -> list[str]:
    return [case for line in text.strip().splitlines() for case in line.split("|")]


@pytest.mark.parametrize("text", cases(GOOD))
def test_a_good_rating_is_positive(text: str) -> None:
    opinion = rating_opinion(text)
    assert opinion is not None
    assert (opinion.label, opinion.score >= 0.3) == ("positive", True)


@pytest.mark.parametrize("text", cases(POOR))
def test_a_bad_rating_is_negative(text: str) -> None:
    opinion = rating_opinion(text)
    assert opinion is not None
    assert (opinion.label, opinion.score <= -0.1) == ("negative", True)


@pytest.mark.parametrize("text", cases(MIDDLING))
def test_a_medium_rating_is_neutral(text: str) -> None:
    opinion = rating_opinion(text)
    assert opinion is not None
    assert opinion.label == "neutral"


@pytest.mark.parametrize("text", cases(NONE))
def test_a_number_that_is_no_rating_is_not_decided(text: str) -> None:
    assert rating_opinion(text) is None


@pytest.mark.parametrize(
    ("text", "score"), [("0/10", -1), ("10/10", 1), ("5/10", 0), ("1 star", -1), ("5 stars", 1), ("0/5", -1), ("★★★★☆", 0.5)]
)
def test_the_ends_of_a_scale_score_minus_one_and_one(text: str, score: float) -> None:
    opinion = rating_opinion(text)
    assert opinion is not None
    assert opinion.score == score
