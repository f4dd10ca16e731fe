"""Ratings in words: "0/10", "4 stars", "zehn von zehn", "★★☆☆☆". A model trained on words can't score them.

Only a text that starts with a rating and has few more words counts: in "a hotel with 5 stars" the number is no rating. A text
with two ratings needs the model. Since version 2 of the rules these words must be about the whole experience: in "5 of 5 parcels
were broken" and "5 star hotel booking failed" the number counts or describes things.

The patterns read texts whose runs of white space are single spaces: two adjacent `\\s*` take time that is cubic in a run's
length.
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
"""Numbers in words. In Arabic, digits are common."""

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
"""After a rating: a number, or a word with a digit."""

WORD = re.compile(r"\w+")
FIRM = re.compile(r"[/★]|\bout of\b")
"""In a rating: forms that state a rating more often than a count."""
SEPARATOR = re.compile(r" ?[-–—,.:;!?…|(\n]| [^\w\s]")
"""After a rating: punctuation, an emoji."""
WHOLE_WORDS = """
would will won not never no but and because if i we it this very so really highly definitely absolutely again overall from for
on to recommend recommended experience service support app company product rating review score easily great excellent good
perfect amazing awesome bad terrible awful poor würde werde nicht nie aber und weil wenn ich wir es sehr wirklich absolut
insgesamt gerne gern von für mit immer jederzeit verdient weiterempfehlung empfehlenswert empfehle bewertung gesamt super top
toll klasse gut schlecht pas jamais mais et car si je nous c très vraiment globalement pour de avec toujours recommande
expérience note parfait bien nul nunca pero y porque muy realmente lo la en general para por con siempre recomiendo
recomendable experiencia perfecto excelente genial mal volvería non mai ma e perché se molto davvero complessivamente per da
sempre consiglio consigliato esperienza perfetto ottimo eccellente bene male não mas muito geral com recomendo experiência
nota perfeito ótimo bom ruim niet nooit maar omdat als ik wij zeer heel voor van met altijd aanrader ervaring prima goed
slecht ممتاز ممتازة رائع رائعة جيد جيدة سيئ سيئة سيء لا لن لكن و أنصح تجربة خدمة مني
"""
WHOLE = frozenset(WHOLE_WORDS.split())
"""Words that begin a statement about the whole experience after a rating: "10/10 would buy again"."""
SINGLE_NOUNS = """
experience service support rating review score treatment quality bewertung erfahrung expérience note experiencia servicio
esperienza servizio experiência serviço ervaring
"""
OF_ONE_KIND = frozenset(SINGLE_NOUNS.split())
"""The single noun that may follow stars: "5 star service". In "5 star hotel" they are a class."""

FEW_WORDS = 5
"""The most words that may follow a rating: "0/10, would not recommend"."""
GOOD, POOR = 0.3, -0.1
"""Thresholds of the score: 7 of 10 and 4 of 5 are positive, 4 of 10 and 2 of 5 negative."""
SURE = 0.97


def rating_opinion(text: str, rules: int) -> Opinion | None:
    """The opinion that a rating in words states, by this version of the rules; None if the text is no rating."""
    text = BLANKS.sub(" ", text.strip())
    drawn = DRAWN.match(text)
    if drawn is not None:
        return _drawn_opinion(drawn, text[drawn.end() :])
    folded = text.strip("\"'*()[]").casefold()
    for form in (SCALED, STARRED):
        rating = form.match(folded)
        if rating is None or not _is_negligible(folded[rating.end() :]):
            continue
        if rules < 2 or _is_about_the_whole(rating[0], folded[rating.end() :]):
            top = to_number(rating["top"]) if form is SCALED else 5.0
            return opinion_of(to_number(rating["value"]), top)
    return None


def opinion_of(value: float, top: float) -> Opinion | None:
    """A rating as an opinion, −1 at the lowest and 1 at the highest. A scale to five starts at one, every other at zero."""
    if value > top:
        return None
    score = max(-1.0, (value - 3) / 2) if top == 5 else 2 * value / top - 1
    label: Label = "positive" if score >= GOOD else "negative" if score <= POOR else "neutral"
    return Opinion(label, round(score, 4), SURE)


def to_number(word: str) -> float:
    """A number in digits (with a point or a comma) or in words. Raises ValueError if it is neither."""
    return float(NUMBERS[word]) if word in NUMBERS else float(word.replace(",", "."))


def _is_about_the_whole(rating: str, rest: str) -> bool:
    """Whether the words after a rating are about the whole experience, not about the things that a number counts."""
    words = WORD.findall(rest)
    if not words:
        return True
    if STARRED.fullmatch(rating):
        return bool(SEPARATOR.match(rest)) or words[0] in WHOLE - OF_ONE_KIND or (len(words) == 1 and words[0] in OF_ONE_KIND)
    return words[0] in WHOLE or bool(FIRM.search(rating) and SEPARATOR.match(rest))


def _drawn_opinion(stars: re.Match[str], rest: str) -> Opinion | None:
    """The opinion of drawn stars. A single star may be decoration, and more than five are no rating."""
    full = sum(sign in "★⭐🌟" for sign in stars["full"])
    empty = (stars["empty"] or "").count("☆")
    if not _is_negligible(rest) or full + empty > 5 or (empty and full + empty != 5) or full + empty == 1:
        return None
    return opinion_of(full, 5)


def _is_negligible(rest: str) -> bool:
    return len(re.findall(r"\w+", rest)) <= FEW_WORDS and not ANY.search(rest) and not CODE.match(rest)
