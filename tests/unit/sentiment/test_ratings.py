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
"5/5"|'10/10'|*5 stars*|(9/10)|[4 of 5]
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


COUNTS = """
10 out of 10 times it fails|5 of 5 parcels were broken|9 von 10 Lieferungen kaputt|0 out of 10 calls dropped
5 star hotel booking failed|5 star hotel|4 of 5 lamps flicker|10/10 orders arrived late|1 star hotel in Rome
8 of 10 mails bounce|3 of 5 days without internet|5 of 5, all broken
4 von 5 Teilen fehlen|10 von 10 Anrufen abgebrochen|5 Sterne Hotel gebucht|2 von 5 Schrauben fehlten
9 fois sur 10|4 sur 5 colis abîmés|5 étoiles hôtel|10 sur 10 commandes en retard
9 de 10 pedidos llegan tarde|4 de 5 piezas rotas|5 estrellas hotel|10 de 10 llamadas sin respuesta
9 su 10 pacchi rotti|4 su 5 chiamate perse|9 de 10 encomendas atrasadas|4 de 5 chamadas caem
9 van de 10 pakketten kapot|4 van 5 lampen werken niet|9 من 10 طلبات تأخرت|4 من 5 أجهزة معطلة
"""
"""Numbers that count or describe things. Version 1 of the rules takes most of them for ratings."""
WHOLE = """
10/10 would buy again|10 out of 10, would recommend|5 stars from me|5 star service|9/10 because of the staff|5 stars!!! Great
10 von 10, gerne wieder|10 von 10 würde wieder bestellen|5 Sterne für das Team|10/10 ❤️
10 sur 10 je recommande|5 étoiles pour le service|10 de 10, lo volvería a comprar|5 estrellas, gracias
10 su 10 consiglio a tutti|5 stelle, meritate!|10 de 10 recomendo|10 van 10 aanrader|9/10 ممتاز
"""
BOTH = pytest.mark.parametrize("rules", [1, 2])


@BOTH
@pytest.mark.parametrize("text", cases(GOOD))
def test_a_good_rating_is_positive(text: str, rules: int) -> None:
    opinion = rating_opinion(text, rules)
    assert opinion is not None
    assert (opinion.label, opinion.score >= 0.3) == ("positive", True)


@BOTH
@pytest.mark.parametrize("text", cases(POOR))
def test_a_bad_rating_is_negative(text: str, rules: int) -> None:
    opinion = rating_opinion(text, rules)
    assert opinion is not None
    assert (opinion.label, opinion.score <= -0.1) == ("negative", True)


@BOTH
@pytest.mark.parametrize("text", cases(MIDDLING))
def test_a_medium_rating_is_neutral(text: str, rules: int) -> None:
    opinion = rating_opinion(text, rules)
    assert opinion is not None
    assert opinion.label == "neutral"


@BOTH
@pytest.mark.parametrize("text", cases(NONE))
def test_a_number_that_is_no_rating_is_not_decided(text: str, rules: int) -> None:
    assert rating_opinion(text, rules) is None


@BOTH
@pytest.mark.parametrize(
    ("text", "score"), [("0/10", -1), ("10/10", 1), ("5/10", 0), ("1 star", -1), ("5 stars", 1), ("0/5", -1), ("★★★★☆", 0.5)]
)
def test_the_ends_of_a_scale_score_minus_one_and_one(text: str, score: float, rules: int) -> None:
    opinion = rating_opinion(text, rules)
    assert opinion is not None
    assert opinion.score == score


@pytest.mark.parametrize("text", cases(COUNTS))
def test_a_count_of_things_is_no_rating_since_version_2(text: str) -> None:
    assert rating_opinion(text, 2) is None


def test_version_1_still_reads_counts_as_ratings() -> None:
    assert sum(rating_opinion(text, 1) is not None for text in cases(COUNTS)) >= 20


@BOTH
@pytest.mark.parametrize("text", cases(WHOLE))
def test_a_rating_with_a_statement_about_the_whole_is_positive(text: str, rules: int) -> None:
    opinion = rating_opinion(text, rules)
    assert opinion is not None
    assert opinion.label == "positive"
