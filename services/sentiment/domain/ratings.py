"""Ratings in words: "0/10", "4 stars", "zehn von zehn", "★★☆☆☆". A model trained on words can't score them.

Only a text that is a rating, or begins with one and has few more words, counts: in "a hotel with 5 stars" the number rates
nothing. A text with two ratings is left to the model.

The patterns read texts in which every run of white space is one blank, so they need no repetition of blanks: `\\s*` beside `\\s*`
takes time that grows with the cube of a run's length.
"""

import re

from services.sentiment.domain.scorer import Opinion
from shared.events import Label

NUMBERS = {
    word: number
    for number, words in {
        0: "zero null zéro cero nul صفر",
        1: "one ein eine einen un une uno una um uma een één",
        2: "two zwei deux dos due dois duas twee",
        3: "three drei trois tres tre três drie",
        4: "four vier quatre cuatro quattro quatro vier",
        5: "five fünf cinq cinco cinque vijf",
        10: "ten zehn dix diez dieci dez tien",
    }.items()
    for word in words.split()
}
"""Numbers that people write as words; in Arabic they type digits."""

NUMBER = rf"\d{{1,3}}(?:[.,]\d{{1,2}})?|{'|'.join(sorted(NUMBERS, key=len, reverse=True))}"
OF = r"/|out of|of|von|sur|de|su|van(?: de)?|uit|من"
STARS = r"stars?|sterne?n?|étoiles?|estrellas?|stelle|stella|estrelas?|sterren|ster|نجوم|نجمة|نجمات"
POINTS = r"points?|punkten?|puntos?|punti|pontos|punten"
LEAD = (
    r"(?:(?:i(?:'d)?|we|ich|wir|je|ik|le|les|lhe|gli|vi) )?"
    r"(?:(?:would|will|würde|can only) )?"
    r"(?:give|rate|rating|score|gebe|vergebe|note|bewertung|donne|mets|doy|nota|puntuación|calificación|voto|dou|do|geef|cijfer|"
    r"avaliação|valutazione|التقييم|تقييم)?"
    r"(?: (?:it|this|you|them|a|an|is|ihnen|eine?|une|un|le|um|uma|een|dit))* ?[:=\-]? ?"
)
SCALED = re.compile(
    rf"{LEAD}(?P<value>{NUMBER}) ?(?:(?:{POINTS}|{STARS}) ?)?(?:{OF}) ?(?P<top>5|10|20|100|five|fünf|cinq|cinco|cinque|vijf|ten|"
    rf"zehn|dix|diez|dieci|dez|tien)(?: ?(?:{POINTS}|{STARS}))?(?![\w/.,]\d|\w)"
)
STARRED = re.compile(rf"{LEAD}(?:only|just|nur|seulement|solo|só|maar)? ?(?P<value>{NUMBER})[ -]*+(?:{STARS})(?!\w)")
DRAWN = re.compile(r"(?P<full>[★⭐🌟]\ufe0f?(?: ?[★⭐🌟]\ufe0f?)*+) ?(?P<empty>☆(?: ?☆)*+)?")
ANY = re.compile(rf"\d ?/ ?\d|\b(?:{NUMBER})[ -]*+(?:{STARS})\b")
BLANKS = re.compile(r"\s+")
CODE = re.compile(r" ?[\w-]*\d")
"""Behind a rating: a number, or a word that holds one."""

FEW_WORDS = 5
"""The most words that may follow a rating: "0/10, would not recommend"."""
GOOD, POOR = 0.3, -0.1
"""From these scores on a rating is praise or a complaint: 7 of 10 and 4 of 5 are good, 4 of 10 and 2 of 5 poor."""
SURE = 0.97


def rated(text: str) -> Opinion | None:
    """The opinion that a rating in words states, or None if the text is no rating."""
    text = BLANKS.sub(" ", text.strip())
    drawn = DRAWN.match(text)
    if drawn is not None:
        return _drawn(drawn, text[drawn.end() :])
    folded = text.strip("\"'*()[]").casefold()
    for form in (SCALED, STARRED):
        found = form.match(folded)
        if found is not None and _says_little(folded[found.end() :]):
            top = number(found["top"]) if form is SCALED else 5.0
            return of_rating(number(found["value"]), top)
    return None


def of_rating(value: float, top: float) -> Opinion | None:
    """A rating as an opinion: −1 at the bottom, 1 at the top. A scale to five begins at one, as stars do; the others at zero."""
    if value > top:
        return None
    score = max(-1.0, (value - 3) / 2) if top == 5 else 2 * value / top - 1
    label: Label = "positive" if score >= GOOD else "negative" if score <= POOR else "neutral"
    return Opinion(label, round(score, 4), SURE)


def number(word: str) -> float:
    return float(NUMBERS[word]) if word in NUMBERS else float(word.replace(",", "."))


def _drawn(stars: re.Match[str], rest: str) -> Opinion | None:
    """Drawn stars: one alone may be a decoration, more than five are no rating."""
    full = sum(sign in "★⭐🌟" for sign in stars["full"])
    empty = (stars["empty"] or "").count("☆")
    if not _says_little(rest) or full + empty > 5 or (empty and full + empty != 5) or full + empty == 1:
        return None
    return of_rating(full, 5)


def _says_little(rest: str) -> bool:
    return len(re.findall(r"\w+", rest)) <= FEW_WORDS and not ANY.search(rest) and not CODE.match(rest)
