"""Texts that are non-answers, and texts that are not."""

import pytest

from services.sentiment.domain.non_answers import NON_ANSWERS, is_non_answer


@pytest.mark.parametrize(
    "text",
    [
        "n/a", "N/A", "n.a.", "NA", "  none. ", "None!", "-", "--", "...", "…", "—", ".", "/", "No comment.", "no comments",
        "Nothing to add", "kein Kommentar", "k.A.", "Keine Angabe", "RAS", "r.a.s.", "sin comentarios", "Não", "n.v.t.", "", "  ",
        "I don't know.", "Nothing at all", "Keine Anmerkungen", "Weiß nicht", "Rien à ajouter.",
        "Pas d'avis", "Je n'ai rien à ajouter",
        "Nada que añadir", "No lo sé", "Ninguna sugerencia", "Nulla da segnalare", "Non lo so",
        "Nessuna osservazione", "Nada a declarar",
        "Sem comentários", "Não sei", "Niets toe te voegen", "Geen idee",
        "Weet ik niet", "لا يوجد", "لا تعليق.", "بدون تعليق", "لا شيء",
    ],
)  # fmt: skip
def test_a_non_answer_is_recognised_in_every_spelling(text: str) -> None:
    assert is_non_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "No complaints, great service", "None of it worked", "nothing works", ":)", ":-(", "!!!", "?", "👍", "ok", "0", "10/10",
        "No comment from support for weeks", "n" * 5000, "ничего хорошего",
        "Nichts funktioniert", "Rien ne marche", "Nada funciona", "Niente funziona", "Niets werkt", "لا يعمل",
        "Keine Probleme", "Nie wieder",
        "Pas de problème", "Sin problemas", "Nessun problema", "Sem problemas", "Geen problemen", "Plus jamais", "لا أنصح به",
    ],
)  # fmt: skip
def test_an_answer_is_no_non_answer(text: str) -> None:
    assert not is_non_answer(text)


def test_the_list_of_non_answers_is_normalised() -> None:
    assert all(is_non_answer(phrase) and phrase == phrase.casefold().strip() for phrase in NON_ANSWERS)
