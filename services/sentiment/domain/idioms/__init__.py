"""Write idioms and turns of negation in plain words, since version 3 of the rules.

The network reads "Da kann man nicht meckern" (nothing to complain about), "couldn't be better" and "never had such a reliable
service" word by word, often as the opposite of what they mean. Each language has a table of families of such idioms: words of
which a text must have one (cues), a pattern, and plain words with the same meaning. All tables are tried on every text, since the
language of a short text is often unknown. The rest of the text stays as it is, so the network still weighs the parts of a longer
comment.

The patterns read texts as `preprocessing.cased` writes them: single spaces, straight quotation marks. They are bounded, so the
time is linear in the length of a text.
"""

import re
from functools import partial
from types import ModuleType
from typing import NamedTuple

from services.sentiment.domain.idioms import arabic, dutch, english, french, german, italian, portuguese, spanish

LANGUAGES = (english, german, french, spanish, portuguese, italian, dutch, arabic)
END = r"(?:(?<!\w)|(?!\w))"
"""A pattern ends where a word ends, or with a space."""
WORD = re.compile(r"\w+")
BLANKS = re.compile(r" {2,}")


class Idiom(NamedTuple):
    """A family of idioms: its pattern, and the template of `re.Match.expand` that replaces it."""

    pattern: re.Pattern[str]
    plain: str


def idioms_of(language: ModuleType) -> list[tuple[frozenset[str], Idiom]]:
    """The families of a language, each with its cues."""
    return [
        (frozenset(cues.split()), Idiom(re.compile(rf"(?<!\w)(?:{pattern}){END}", re.IGNORECASE), plain))
        for cues, pattern, plain in language.IDIOMS
    ]


IDIOMS = tuple(idiom for language in LANGUAGES for idiom in idioms_of(language))
BY_CUE: dict[str, list[int]] = {}
for _place, (_cues, _) in enumerate(IDIOMS):
    for _cue in _cues:
        BY_CUE.setdefault(_cue, []).append(_place)


def in_plain_words(text: str) -> str:
    """The text with its idioms in plain words. Takes linear time."""
    cues = BY_CUE.keys() & WORD.findall(text.lower())
    if not cues:
        return text
    result = text
    for place in sorted({place for cue in cues for place in BY_CUE[cue]}):
        pattern, plain = IDIOMS[place][1]
        result = pattern.sub(partial(expanded, plain=plain), result)
    return result if result is text else BLANKS.sub(" ", result).strip()


def expanded(match: re.Match[str], plain: str) -> str:
    """The plain words for a match, with a capital if the match begins with one."""
    words = match.expand(plain).lstrip()
    return words[:1].upper() + words[1:] if match[0][0].isupper() else words
