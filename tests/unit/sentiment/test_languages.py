"""The language of a comment: declared, detected, unknown, or one that isn't served."""

from unittest.mock import Mock

import pytest

from services.sentiment.domain import languages
from services.sentiment.domain.languages import Language, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The parcel arrived two weeks late and nobody answered my mails", "en"),
        ("Das Paket kam zwei Wochen zu spät und niemand hat geantwortet", "de"),
        ("Le colis est arrivé avec deux semaines de retard, personne ne répond", "fr"),
        ("El paquete llegó dos semanas tarde y nadie respondió a mis correos", "es"),
        ("A encomenda chegou duas semanas atrasada e ninguém respondeu", "pt"),
        ("Il pacco è arrivato con due settimane di ritardo e nessuno risponde", "it"),
        ("Het pakket kwam twee weken te laat en niemand heeft geantwoord", "nl"),
        ("وصل الطرد متأخرا أسبوعين ولم يرد أحد على رسائلي", "ar"),
    ],
)
def test_a_served_language_is_detected(text: str, language: str) -> None:
    assert language_of(text, None) == Language(language, served=True)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Leveransen tog alldeles för lång tid och ingen svarade på mina mejl", "sv"),
        ("Paczka przyszła uszkodzona i nikt nie odpowiada na moje wiadomości", "pl"),
        ("Kargom iki haftadır gelmedi ve kimse mesajlarıma cevap vermiyor", "tr"),
        ("Посылка пришла с опозданием, и никто не отвечает на письма", "ru"),
        ("Πολύ κακή εξυπηρέτηση, κανείς δεν απαντά", "el"),
        ("配達が遅すぎますし、誰も返事をくれません", "ja"),
    ],
)
def test_an_unserved_language_is_detected(text: str, language: str) -> None:
    assert language_of(text, None) == Language(language, served=False)


@pytest.mark.parametrize(
    "text", ["ok", "super", "👍", "10/10", "Works fine", "Entrega lenta", "", "https://example.com/uma/coisa"]
)
def test_a_short_text_has_no_language_and_counts_as_served(text: str) -> None:
    assert language_of(text, None) == Language(None, served=True)


def test_a_declared_language_overrides_the_guess() -> None:
    english = "The parcel arrived two weeks late and nobody answered"
    assert language_of(english, "de-AT") == Language("de-AT", served=True)
    assert language_of(english, "sv") == Language("sv", served=False)
    assert language_of(english, "PT-BR").served


@pytest.mark.parametrize("declared", ["de_DE", "de-AT", "DE", "en_us"])
def test_a_declared_region_is_ignored_for_serving(declared: str) -> None:
    assert language_of("Alles gut", declared).served


@pytest.mark.parametrize(
    ("guess", "confidence", "language"),
    [
        ("de", 0.5, Language("de", served=True)),
        ("de", 0.49, Language(None, served=True)),
        ("sv", 0.6, Language("sv", served=False)),
        ("sv", 0.59, Language(None, served=True)),
    ],
)
def test_a_served_language_is_reported_from_a_lower_confidence_on(
    guess: str, confidence: float, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "identifier", lambda: Mock(classify=lambda text: (guess, confidence)))
    assert language_of("Some words that the fake classifier does not read", None) == language
