"""Recognizes by its title whether a short text field asks for a comment.

Survey tools have one kind of field for every line of text: for "Why?" and for "First name". A comment is scored and shown, a name
must not be. So a short text counts as a comment only if its title has one of the phrases below. They are looked up in every
language at once, so the language of a form does not matter. That is why some words are missing alone: "comment" begins questions
for a name in French, "razón", "razão" and "ragione" name a company in "razón social", "experience" is counted in years.
"""

import re
import unicodedata
from functools import lru_cache

PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "comments", "any comment", "a comment", "your comment", "further comment", "feedback", "why", "reason", "reasons",
        "suggest*", "improv*", "opinion*", "thoughts", "remark*", "complain*", "anything else", "something else",
        "anything to add", "tell us more", "tell us about", "tell us why", "tell us what", "explain*", "describe",
        "elaborate", "how was", "how were", "what went", "do better", "did you like", "do you like", "did you dislike",
        "do you dislike", "do you think", "did you think", "would you change", "should we change", "should we know",
        "your experience", "your message", "your review", "write a review",
    ),
    "de": (
        "kommentar*", "anmerkung*", "feedback", "rückmeldung*", "warum", "wieso", "weshalb", "grund für", "grund ihrer",
        "grund deiner", "begründ*", "verbesser*", "vorschlag", "vorschläge", "verbesserungsvorschl*", "anregung*", "meinung*",
        "kritik*", "lob", "beschwerde*", "ihre erfahrung*", "deine erfahrung*", "sonst noch", "noch etwas", "besser machen",
        "gefall*", "gefäll*", "erläuter*", "beschreib*", "ihre nachricht", "deine nachricht",
    ),
    "fr": (
        "commentaire*", "remarque*", "pourquoi", "avis", "suggestion*", "améliorer", "amélioration*", "raison de", "raisons",
        "quelle raison", "opinion*", "votre expérience", "ton expérience", "vos retours", "expliqu*", "décrivez", "décris",
        "autre chose", "pensez vous", "avez vous pensé", "votre message", "réclamation*",
    ),
    "es": (
        "comentario*", "por qué", "opinión", "opiniones", "sugerencia*", "mejorar", "mejora*", "motivo*", "observacion*",
        "expliqu*", "explica*", "describ*", "tu experiencia", "su experiencia", "algo más", "razón de", "razón para",
        "te pareció", "le pareció", "queja*", "tu mensaje", "su mensaje",
    ),
    "pt": (
        "comentário*", "por que", "por quê", "porque", "porquê", "sugest*", "opinião", "opiniões", "melhorar", "melhoria*",
        "motivo*", "observaç*", "explique", "descreva", "sua experiência", "tua experiência", "algo mais", "razão da",
        "razão para", "o que achou", "reclamaç*", "sua mensagem",
    ),
    "it": (
        "commento", "commenti", "perché", "suggeriment*", "opinione", "opinioni", "migliorar*", "miglioramento", "motivo",
        "motivi", "osservazion*", "spieg*", "descriv*", "tua esperienza", "sua esperienza", "altro da aggiungere",
        "ne pensi", "ne pensa", "reclam*", "consigli", "tuo messaggio", "suo messaggio",
    ),
    "nl": (
        "opmerking*", "waarom", "reden*", "suggestie*", "verbeter*", "mening", "feedback", "toelicht*", "uw ervaring*",
        "je ervaring*", "leg uit", "beschrijf", "nog iets", "klacht*", "commentaar", "uw bericht", "je bericht",
    ),
    "ar": (
        "تعليق*", "التعليق*", "ملاحظ*", "الملاحظ*", "لماذا", "اقتراح*", "الاقتراح*", "رأيك", "رأيكم", "سبب", "السبب",
        "تحسين*", "تجربتك", "تجربتكم", "شكوى", "رسالتك",
    ),
}  # fmt: skip
"""By language. Whole words; `*` matches the rest of a word. Case, accents and punctuation do not matter."""

WHOLE_TITLES = ("comment", "message", "nachricht", "mensaje", "mensagem", "messaggio", "bericht", "experience")
"""Titles that ask for a comment if they have no other word."""

LONGEST_TITLE = 500


def _fold(text: str) -> str:
    """The words of a text, without case, accents and punctuation, separated by one space."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c)).split())


def _pattern(phrase: str) -> str:
    return re.escape(_fold(phrase.removesuffix("*"))) + (r"\w*" if phrase.endswith("*") else "")


ASKS = re.compile(rf"(?:^| )(?:{'|'.join(sorted({_pattern(p) for phrases in PHRASES.values() for p in phrases}))})(?: |$)")


@lru_cache(maxsize=4096)
def asks_for_comment(title: str) -> bool:
    """Whether the title of a short text field reads like a question for a comment."""
    words = _fold(title[:LONGEST_TITLE])
    return words in WHOLE_TITLES or ASKS.search(words) is not None
