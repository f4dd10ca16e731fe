"""Comments that say nothing: "n/a", "no comment", "-". They get no label, and count for nothing."""

import re

NON_ANSWERS = frozenset(
    {
        # English
        "n a", "na", "none", "nil", "null", "no", "nope", "nothing", "nothing to add", "nothing else", "nothing to say",
        "no comment", "no comments", "no further comment", "no further comments", "no answer", "no feedback", "not applicable",
        "x", "xx", "xxx", "test",
        # German
        "nein", "nichts", "keine", "keiner", "kein kommentar", "keine angabe", "keine angaben", "keine anmerkung",
        "keine anmerkungen", "entfällt", "k a", "nichts hinzuzufügen",
        # French
        "non", "rien", "aucun", "aucune", "aucun commentaire", "pas de commentaire", "rien à signaler", "rien à ajouter", "ras",
        "r a s", "sans objet",
        # Spanish
        "nada", "ninguno", "ninguna", "ningún comentario", "sin comentario", "sin comentarios", "no aplica", "nada que añadir",
        # Italian
        "niente", "nulla", "nessuno", "nessun commento", "nessuna", "niente da aggiungere",
        # Portuguese
        "não", "nenhum", "nenhuma", "nenhum comentário", "sem comentário", "sem comentários", "nada a declarar",
        "nada a acrescentar",
        # Dutch
        "nee", "geen", "niets", "geen commentaar", "geen opmerking", "geen opmerkingen", "niet van toepassing", "n v t", "nvt",
    }
)  # fmt: skip
"""Casefolded, every run of anything but letters and digits as one blank."""

LONGEST = max(map(len, NON_ANSWERS))

BLANKS = re.compile(r"[\W_]+")
STROKES = re.compile(r"[\s\-‐-―−.…,;/\\_*]*")
"""What people type to get past an empty field. Not `!`, `?` or brackets: those are moods and emoticons."""


def is_non_answer(text: str) -> bool:
    """Whether `text` answers nothing."""
    if STROKES.fullmatch(text):
        return True
    trimmed = text.strip()
    return len(trimmed) <= LONGEST + 8 and BLANKS.sub(" ", trimmed.casefold()).strip() in NON_ANSWERS
