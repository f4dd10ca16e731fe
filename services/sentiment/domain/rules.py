"""Rules that decide texts without a model: non-answers, automatic replies, ratings in words, emoji and emoticons."""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

import emoji

from services.sentiment.domain.auto_replies import is_auto_reply
from services.sentiment.domain.non_answers import is_non_answer
from services.sentiment.domain.preprocessing import without_long_chains
from services.sentiment.domain.ratings import rating_opinion
from services.sentiment.domain.scorer import Opinion

NON_ANSWER: Final = "non_answer"
AUTO_REPLY: Final = "auto_reply"
Ruling = Opinion | Literal["non_answer", "auto_reply"]
LONGEST = 200
"""Characters of the longest text for which ratings and emoji are tried."""

GLAD = frozenset("👍👏🙌🤩😀😃😄😁😆😊🙂☺😍🥰😘😻😎🤗❤🧡💛💚💙💜🖤🤍💖💕💗💯🎉🥳✅👌🤝💪🔥⭐🌟✨🏆😇😋🙏")
SAD = frozenset("👎😡😠🤬😞😟😢😭😣😖😫😩😤🙁☹😒😑🙄💔🤮🤢💩❌🚫😱🥱🤦🖕😕😾😿😔")
GLAD_SIGNS = re.compile(r"[:;=][-'o^]?[)\]D]|<3|\^_?\^", re.IGNORECASE)
SAD_SIGNS = re.compile(r"[:=]'?[-o^]?[(\[/\\]|>:\(")
REST = re.compile(r"[\s!?.…,~*_\-\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]+")
"""Characters allowed between them: spaces, punctuation, joiners and skin tones of emoji."""
SURE, UNSURE = 0.9, 0.5


def emoji_opinion(text: str) -> Opinion | None:
    """The opinion that a text of emoji and emoticons alone expresses; None for any other text."""
    if any(sign.isalpha() for sign in text if sign not in "xXdDoO"):
        return None
    bare, glad_signs = GLAD_SIGNS.subn("", without_long_chains(text))
    bare, sad_signs = SAD_SIGNS.subn("", bare)
    pictures = [entry["emoji"] for entry in emoji.emoji_list(bare)]
    if REST.sub("", emoji.replace_emoji(bare, "")) or not (pictures or glad_signs or sad_signs):
        return None
    glad = glad_signs + sum(picture[0] in GLAD for picture in pictures)
    sad = sad_signs + sum(picture[0] in SAD for picture in pictures)
    if glad and not sad:
        return Opinion("positive", 0.8, SURE)
    if sad and not glad:
        return Opinion("negative", -0.8, SURE)
    return Opinion("neutral", 0.0, UNSURE, mixed=bool(glad and sad))


OPINION_RULES: Final[Mapping[str, Callable[[str, int], Opinion | None]]] = {
    "rating": rating_opinion,
    "emoji": lambda text, rules: emoji_opinion(text),
}
"""The rules that return an opinion for a text and a version of the rules, by name, in the order in which they are tried."""


def matching_rule(text: str, rules: int) -> tuple[str, Ruling] | tuple[None, None]:
    """The name of the rule that decides a text, and its ruling; None twice for a text that needs the model.

    `rules`: their version. Automatic replies are recognised since version 2.
    """
    if is_non_answer(text):
        return NON_ANSWER, NON_ANSWER
    if rules >= 2 and is_auto_reply(text):
        return AUTO_REPLY, AUTO_REPLY
    for name, rule in OPINION_RULES.items() if len(text) <= LONGEST else ():
        if opinion := rule(text, rules):
            return name, opinion
    return None, None


def ruling_of(text: str, rules: int) -> Ruling | None:
    """The ruling on a text; None for one that needs the model."""
    return matching_rule(text, rules)[1]
