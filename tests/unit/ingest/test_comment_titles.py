"""Which titles of short text fields ask for a comment, in the languages that comments are scored in."""

import pytest

from services.ingest.domain.providers.comment_titles import PHRASES, asks_for_comment

COMMENTS = {
    "en": [
        "Why?",
        "WHAT IS THE MAIN REASON FOR YOUR SCORE?",
        "Any comments?",
        "Comment",
        "How can we improve?",
        "Anything else?",
    ],
    "de": [
        "Warum?",
        "Ihr Kommentar",
        "Verbesserungsvorschläge",
        "Was hat Ihnen gefallen?",
        "Möchten Sie uns sonst noch etwas sagen?",
    ],
    "fr": ["Pourquoi ?", "Votre commentaire", "Comment pouvons-nous nous améliorer ?", "Pour quelle raison ?", "Votre avis"],
    "es": ["¿Por qué?", "Tus comentarios", "¿Qué podemos mejorar?", "¿Algo más?", "Motivo de tu nota"],
    "pt": ["Por quê?", "Deixe um comentário", "O que podemos melhorar?", "Sugestões", "Qual a razão da sua nota?"],
    "it": ["Perché?", "Il tuo commento", "Cosa possiamo migliorare?", "Suggerimenti", "Cosa ne pensi?"],
    "nl": ["Waarom?", "Uw opmerkingen", "Wat kunnen we verbeteren?", "Licht uw reden toe", "Wilt u dit toelichten?"],
    "ar": ["لماذا؟", "تعليقك", "ما سبب تقييمك؟", "ملاحظات أخرى", "ما رأيك في الخدمة؟"],
}
OTHERS = {
    "en": [
        "First name",
        "What is your first name?",
        "Company",
        "Job title",
        "Order number",
        "E-mail",
        "How many years of experience?",
    ],
    "de": ["Vorname", "Wie heißen Sie?", "Firma", "Bestellnummer", "Wie viele Jahre Erfahrung haben Sie?", "Ort"],
    "fr": ["Prénom", "Comment vous appelez-vous ?", "Raison sociale", "Entreprise", "Ville", "Comment nous avez-vous connus ?"],
    "es": ["Nombre", "¿Cómo te llamas?", "Razón social", "Empresa", "Ciudad"],
    "pt": ["Nome", "Como se chama?", "Razão social", "Empresa", "Cidade"],
    "it": ["Nome", "Come ti chiami?", "Ragione sociale", "Azienda", "Città"],
    "nl": ["Voornaam", "Hoe heet u?", "Bedrijfsnaam", "Plaats", "Ordernummer"],
    "ar": ["الاسم الأول", "اسم الشركة", "رقم الطلب", "المدينة"],
}


def test_every_language_has_examples() -> None:
    assert COMMENTS.keys() == OTHERS.keys() == PHRASES.keys()


@pytest.mark.parametrize("title", [title for titles in COMMENTS.values() for title in titles])
def test_a_question_for_a_comment_is_recognized(title: str) -> None:
    assert asks_for_comment(title)


@pytest.mark.parametrize("title", ["", "?", *(title for titles in OTHERS.values() for title in titles)])
def test_a_question_for_a_name_or_another_fact_is_not(title: str) -> None:
    assert not asks_for_comment(title)


def test_a_very_long_title_is_read_in_part() -> None:
    assert not asks_for_comment("x " * 1000 + "why")
    assert asks_for_comment("Why? " + "x " * 100_000)
