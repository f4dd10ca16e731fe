"""The words at which a sentence turns, such as "but". Since version 3 of the rules each counts only in its own language.

Five of them mean something else in another language: "ma" is "my" in French, "mais" is "more" in Portuguese, "mas" is how many
people write "más" (more) in Spanish, "but" is "goal" in French, "echter" is "genuine" in German. The other words of the sentence
decide which language it is, not the stated language: equal texts get equal scores, whatever language is stated.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

FRENCH = r"mais(?=\s+(?:les?|la|l'\w|une?|des|du|ils?|elles?|on|je|j'\w|nous|vous|c'\w|ce|ça|trop|très|pas|peu|sans|pour|avec)\b)"
ITALIAN = r"ma(?=\s+(?:il|la|lo|i|gli|le|l'\w|una?|non|è|troppo|poco|molto|purtroppo|con|senza|per|si|ci|mi)\b)"
PORTUGUESE = r"mas(?=\s+(?:o|os|as?|não|uma?|é|foi|muito|pouco|sem|com|ainda|infelizmente|eu)\b)"
"""Each means something else in another language ("more", "my"): without a comma it counts only before words of its own."""
TURN = re.compile(
    r"(?:,?\s+(?:but|however|although|though|aber|jedoch|allerdings|trotzdem|cependant|pero|sin embargo|aunque|però|tuttavia|"
    rf"porém|maar|echter|لكن|ولكن|{FRENCH}|{ITALIAN}|{PORTUGUESE})|,\s+(?:mais|ma|mas))\s+",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]+")

ENGLISH_WORDS = frozenset(
    """
    the is was were it and i my your you to of not very with for are they have had this that so
    """.split()  # noqa: SIM905
)
FRENCH_WORDS = frozenset(
    """
    je j nous vous ils elle elles est et les des une du au aux pas très avec dans pour sur qui mon mes ce cette c ça
    été était ai votre vos notre leur chez sans plus trop mais toujours jamais n ne qu d à
    """.split()  # noqa: SIM905
)
ITALIAN_WORDS = frozenset(
    """
    il lo gli è e di che non per con sono una della del dei delle dal dalla nel nella ho hanno mi ci molto troppo
    poco più questo questa anche sempre mai bene era ed al alla
    """.split()  # noqa: SIM905
)
PORTUGUESE_WORDS = frozenset(
    """
    o os um uma é não do dos das na nas com muito eu meu minha foi são tem ao à às pelo pela você isso bom boa ótimo
    está mais e em fui nem já
    """.split()  # noqa: SIM905
)
SPANISH_WORDS = frozenset(
    """
    el los las una es y con muy en del al lo yo mi mis fue son tiene pero hay más este esta eso han he me le les un
    ya
    """.split()  # noqa: SIM905
)
DUTCH_WORDS = frozenset(
    """
    de het een ik niet is en van dat voor met wel geen heel zijn wij jullie te op aan ook er goed was
    """.split()  # noqa: SIM905
)
GERMAN_WORDS = frozenset(
    """
    der das ein eine einen einem ist und ich nicht mit für sehr auch von zu es wir sie den dem kein keine auf hier
    mal
    """.split()  # noqa: SIM905
)


class Rivals(NamedTuple):
    """Words of the language in which a word turns a sentence, and of the one in which it is another word."""

    own: frozenset[str]
    other: frozenset[str]


def rivals(own: frozenset[str], other: frozenset[str]) -> Rivals:
    """The words of each language that the other does not have."""
    return Rivals(own - other, other - own)


AMBIGUOUS: Mapping[str, Rivals] = {
    "but": rivals(ENGLISH_WORDS, FRENCH_WORDS),
    "echter": rivals(DUTCH_WORDS, GERMAN_WORDS),
    "ma": rivals(ITALIAN_WORDS, FRENCH_WORDS),
    "mais": rivals(FRENCH_WORDS, PORTUGUESE_WORDS),
    "mas": rivals(PORTUGUESE_WORDS, SPANISH_WORDS),
}
"""Words that turn a sentence in one language and mean something else in another."""
EXCEPT = frozenset({"anything", "nothing", "everything", "all", "everyone", "nobody", "none"})
"""Before an English "but" that means "except"."""
STRESSED = frozenset({"ist", "sind", "war", "waren", "bin", "wird", "wurde", "hat", "haben", "hatte", "das", "kann", "geht"})
"""Before a German "aber" that stresses ("Das ist aber schön") or comes late ("Der Preis ist aber hoch")."""
ONLY = frozenset({"een", "één", "keer", "paar", "weinig", "liefst", "half"})
"""After a Dutch "maar" that means "only" ("maar één keer")."""
NEIGHBOUR = 30
"""Characters beside a turn in which the next word is looked for."""


def split_at_turns(sentence: str, rules: int) -> list[str]:
    """The parts of a sentence before, between and after its turns, by a version of the rules."""
    if rules < 3:
        return TURN.split(sentence)
    matches = list(TURN.finditer(sentence))
    if not matches:
        return [sentence]
    words = Counter(WORD.findall(sentence.casefold()))
    parts, start = list[str](), 0
    for match in matches:
        if is_turn(match, words):
            parts.append(sentence[start : match.start()])
            start = match.end()
    return [*parts, sentence[start:]]


def is_turn(match: re.Match[str], words: Mapping[str, int]) -> bool:
    """Whether a match of TURN means "but": neither another language's word nor another sense. `words`: those of the sentence."""
    word = match[0].strip(" ,").casefold()
    if word in AMBIGUOUS:
        own, other = (sum(words[one] for one in words.keys() & language) for language in AMBIGUOUS[word])
        if own < other:
            return False
    if word == "but":
        return word_before(match) not in EXCEPT
    if word == "aber":
        return "," in match[0] or word_before(match) not in STRESSED
    return word != "maar" or "," in match[0] or word_after(match) not in ONLY


def word_before(match: re.Match[str]) -> str:
    """The last word before a match, in lower case; empty without one."""
    words = WORD.findall(match.string[max(0, match.start() - NEIGHBOUR) : match.start()])
    return words[-1].casefold() if words else ""


def word_after(match: re.Match[str]) -> str:
    """The first word after a match, in lower case; empty without one."""
    word = WORD.search(match.string[match.end() : match.end() + NEIGHBOUR])
    return word[0].casefold() if word else ""
