"""A text as our own models read it, the same in training and in service.

Whoever changes a line here changes what the weights were trained on: train again, and give the model a new version.
"""

import html
import re
import unicodedata

import emoji

from services.sentiment.domain.runs import with_few_marks, without_long_chains

URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w.])@\w+")
BLANKS = re.compile(r"\s+")
ELONGATED = re.compile(r"([^\W\d_])\1{2,}")
"""The same letter three times or more: "sooooo" is as good as "soo"; no word of a served language has three in a row."""
REPEATED = re.compile(r"([!?.])\1+")
QUOTES = str.maketrans("’‘‛`´“”„«»", "'''''\"\"\"\"\"")
INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\u00ad]")
ARABIC_MARKS = re.compile(r"[\u0640\u064b-\u065f\u0670]")
"""Tatweel, which only stretches a word, and the short vowels, which hardly anybody types."""
SHOUTED = 8
"""Capitals that make a shout, where there are hardly any small letters; fewer may be an abbreviation."""
PICTURES = re.compile(r"[\u2190-\u2bff\u3030-\u303d\u3297\u3299\U0001f000-\U0001faff]")
SMILE = re.compile(r"(?<!\w)(?:[:;=][-'o^]?[)\]D]|<3|\^_?\^|x[dD])(?!\w)")
FROWN = re.compile(r"(?<!\w)(?:[:=]'?[-o^]?[(\[/\\]|>:\()(?!\w)")


def prepared(text: str) -> str:
    """What the linear model reads: lower case, one blank between words; links, mentions, emoji and emoticons as words."""
    return _evened(_worded(text).casefold())


def cased(text: str) -> str:
    """What the transformer reads: the same in the writer's case, as its encoder learnt to read; shouting is lowered."""
    read = _evened(_worded(text))
    return read.lower() if _shouts(text) else read


def own_words(text: str) -> str:
    """A text as it was written, links and mentions left out."""
    return MENTION.sub(" ", URL.sub(" ", text))


def _worded(text: str) -> str:
    text = unicodedata.normalize("NFKC", with_few_marks(html.unescape(text))).translate(QUOTES)
    text = URL.sub(" http ", text)
    text = MENTION.sub(" @user ", text)
    text = FROWN.sub(" frowning face ", SMILE.sub(" smiling face ", text))
    if PICTURES.search(text):
        text = named(text)
    return ARABIC_MARKS.sub("", INVISIBLE.sub("", text))


def _evened(text: str) -> str:
    text = REPEATED.sub(r"\1\1", ELONGATED.sub(r"\1\1", text))
    return BLANKS.sub(" ", text).strip()


def _shouts(text: str) -> bool:
    """Whether a text, its links and mentions apart, is in capitals."""
    said = own_words(text)
    capitals = sum(map(str.isupper, said))
    return capitals >= SHOUTED and capitals > 3 * sum(map(str.islower, said))


def named(text: str) -> str:
    """Every emoji by its English name, as words: a model needs to know no picture, and one in a new skin is the same."""
    return emoji.replace_emoji(without_long_chains(text), lambda picture, facts: f" {words(facts['en'])} ")


def words(name: str) -> str:
    """An emoji's name as words: ":thumbs_up_dark_skin_tone:" is "thumbs up"."""
    return re.sub(r"_(?:medium-)?(?:light|medium|dark)_skin_tone", "", name).strip(":").replace("_", " ")
