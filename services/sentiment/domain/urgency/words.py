"""A text as the phrases of urgency read it: words between single blanks, and the marks that part them."""

import re
import unicodedata

from services.sentiment.domain.runs import with_few_marks

MARKS = re.compile(r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u200b-\u200f]")
"""Accents, Arabic short vowels, tatweel, and what is invisible: many type none of them."""
SHORT = re.compile(r"(?<=\w)'(?=(?:t|s|ll|re|ve|m|d)\b)")
"""The apostrophe of "won't", which goes without a trace; that of "l'abonnement" parts two words."""
TOKEN = re.compile(r"\w+|[.!…;\n]+|[,:()]+|[?؟]+")
ARTICLE = re.compile(r"(?<= )(?:[وفبك]?ال|لل)(?=[ء-ي]{3})")
QUOTES = str.maketrans("’‘‛`´ىة", "'''''يه")
STOP, PAUSE, QUESTION = ".", ",", "?"
ENDS = dict.fromkeys(".!…;\n", STOP) | dict.fromkeys(",:()،", PAUSE) | dict.fromkeys("?؟", QUESTION)


def read(text: str) -> str:
    """The words in lower case, without accents, apostrophes and Arabic articles; sentences end in "." or "?", clauses in ","."""
    folded = text.casefold()
    if not folded.isascii():
        parted = unicodedata.normalize("NFKD", with_few_marks(folded.translate(QUOTES)))
        folded = MARKS.sub("", parted).replace("،", ",").replace("؛", ";")
    if "'" in folded:
        folded = SHORT.sub("", folded)
    line = " ".join([ENDS.get(token[0], token) for token in TOKEN.findall(folded)])
    line = f" {line} . "
    return line if line.isascii() else ARTICLE.sub("", line)
