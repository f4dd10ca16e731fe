"""Normalise a text for our own models, the same way in training and in service.

The weights depend on every line of `prepared` and `cased`: a change needs another version of the rules (`domain/versions.py`).
"""

import html
import re
import unicodedata

import emoji

from services.sentiment.domain.idioms import in_plain_words

URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w.])@\w+")
BLANKS = re.compile(r"\s+")
ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
"""The same letter three times or more, read as two: no word of a served language has three in a row."""
REPEATED = re.compile(r"([!?.])\1+")
QUOTES = str.maketrans("’‘‛`´“”„«»", "'''''\"\"\"\"\"")
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\u00ad]")
ARABIC_MARKS = re.compile(r"[\u0640\u064b-\u065f\u0670]")
"""Tatweel, which only stretches a word, and the short vowels, which are rarely typed."""
SHOUTED = 8
"""A text with at least this many capital letters and few small ones counts as shouted; fewer may be an abbreviation."""
CAPITALS = re.compile(r"[^\W\d_]{2,}")
"""A word that is lowered if all of its letters are capitals. "I" and "A" are not: they have one letter."""
PICTURES = re.compile(r"[\u2190-\u2bff\u3030-\u303d\u3297\u3299\U0001f000-\U0001faff]")
SMILE = re.compile(r"(?<!\w)(?:[:;=][-'o^]?[)\]D]|<3|\^_?\^|x[dD])(?!\w)")
FROWN = re.compile(r"(?<!\w)(?:[:=]'?[-o^]?[(\[/\\]|>:\()(?!\w)")

MOST_MARKS = 30
"""Combining marks in a row that are kept, as in Unicode's stream-safe text format (UAX #15)."""
JOINER = "\u200d"
MOST_JOINTS = 8
"""Joiners in one chain of emoji that are kept. The longest emoji have three."""


def _is_mark(sign: str) -> bool:
    """Whether normalisation may reorder `sign`: its decomposition starts with a character of a combining class."""
    return unicodedata.category(sign)[0] == "M" and unicodedata.combining(unicodedata.normalize("NFKD", sign)[0]) != 0


MARK = f"[{''.join(filter(_is_mark, map(chr, range(0x300, 0x1F000))))}]"
LONG_MARKS = re.compile(f"({MARK}{{{MOST_MARKS}}}){MARK}++")
LONG_CHAIN = re.compile(rf"(?:[^\s{JOINER}]{{1,10}}+{JOINER}){{{MOST_JOINTS},}}+")


def with_few_marks(text: str) -> str:
    """`text` with at most MOST_MARKS combining marks in a row: NFKD and NFKC take quadratic time on longer runs."""
    return text if text.isascii() else LONG_MARKS.sub(r"\1", text)


def without_long_chains(text: str) -> str:
    """`text` without the joiners of chains longer than any emoji: looking them up takes quadratic time."""
    return LONG_CHAIN.sub(lambda chain: chain[0].replace(JOINER, ""), text) if JOINER in text else text


def prepared(text: str) -> str:
    """The input of the linear model: lower case, single spaces; links, mentions, emoji and emoticons as words."""
    return _squeezed(_with_words(text).casefold())


def cased(text: str, rules: int) -> str:
    """The input of the transformer: like `prepared`, with capitals as written; a shouted text is lowered.

    Since version 2 of the rules each word in capitals is lowered: in "Your app is SLOW", one word is
    shouted, and the network knows only "slow" from training. Abbreviations are lowered too. Since version 3 idioms are written in
    plain words (`domain/idioms`).
    """
    squeezed = _squeezed(_with_words(text))
    if _shouts(text):
        squeezed = squeezed.lower()
    elif rules >= 2:
        squeezed = CAPITALS.sub(_lower_capitals, squeezed)
    return squeezed if rules < 3 else in_plain_words(squeezed)


def _lower_capitals(word: re.Match[str]) -> str:
    return word[0].lower() if word[0].isupper() else word[0]


def own_words(text: str) -> str:
    """`text` without links and mentions."""
    return MENTION.sub(" ", URL.sub(" ", text))


def _with_words(text: str) -> str:
    text = unicodedata.normalize("NFKC", with_few_marks(html.unescape(text))).translate(QUOTES)
    text = URL.sub(" http ", text)
    text = MENTION.sub(" @user ", text)
    text = FROWN.sub(" frowning face ", SMILE.sub(" smiling face ", text))
    if PICTURES.search(text):
        text = with_emoji_names(text)
    return ARABIC_MARKS.sub("", INVISIBLE.sub("", text))


def _squeezed(text: str) -> str:
    text = REPEATED.sub(r"\1\1", ELONGATED.sub(r"\1\1", text))
    return BLANKS.sub(" ", text).strip()


def _shouts(text: str) -> bool:
    """Whether a text is in capitals, apart from links and mentions."""
    own = own_words(text)
    capitals = sum(map(str.isupper, own))
    return capitals >= SHOUTED and capitals > 3 * sum(map(str.islower, own))


def with_emoji_names(text: str) -> str:
    """`text` with every emoji as the words of its English name, without its skin tone."""
    return emoji.replace_emoji(without_long_chains(text), lambda picture, facts: f" {words(facts['en'])} ")


def words(name: str) -> str:
    """The name of an emoji as words: ":thumbs_up_dark_skin_tone:" becomes "thumbs up"."""
    return re.sub(r"_(?:medium-)?(?:light|medium|dark)_skin_tone", "", name).strip(":").replace("_", " ")
