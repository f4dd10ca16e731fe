"""Texts without a word: emoji and emoticons alone. What they mean is a short table, and needs no model."""

import re

import emoji

from services.sentiment.domain.runs import without_long_chains
from services.sentiment.domain.scorer import Opinion

GLAD = frozenset("👍👏🙌🤩😀😃😄😁😆😊🙂☺😍🥰😘😻😎🤗❤🧡💛💚💙💜🖤🤍💖💕💗💯🎉🥳✅👌🤝💪🔥⭐🌟✨🏆😇😋🙏")
SAD = frozenset("👎😡😠🤬😞😟😢😭😣😖😫😩😤🙁☹😒😑🙄💔🤮🤢💩❌🚫😱🥱🤦🖕😕😾😿😔")
GLAD_SIGNS = re.compile(r"[:;=][-'o^]?[)\]D]|<3|\^_?\^", re.IGNORECASE)
SAD_SIGNS = re.compile(r"[:=]'?[-o^]?[(\[/\\]|>:\(")
REST = re.compile(r"[\s!?.…,~*_\-\ufe0e\ufe0f\u200d\U0001f3fb-\U0001f3ff]+")
"""What may stand between them: blanks, marks, and the joints and skin tones of emoji."""
SURE, UNSURE = 0.9, 0.5


def mood(text: str) -> Opinion | None:
    """The opinion that a text of nothing but emoji and emoticons shows, or None when it holds a word or no picture at all."""
    if any(sign.isalpha() for sign in text if sign not in "xXdDoO"):
        return None
    bare, glad_signs = GLAD_SIGNS.subn("", without_long_chains(text))
    bare, sad_signs = SAD_SIGNS.subn("", bare)
    pictures = [found["emoji"] for found in emoji.emoji_list(bare)]
    if REST.sub("", emoji.replace_emoji(bare, "")) or not (pictures or glad_signs or sad_signs):
        return None
    glad = glad_signs + sum(picture[0] in GLAD for picture in pictures)
    sad = sad_signs + sum(picture[0] in SAD for picture in pictures)
    if glad and not sad:
        return Opinion("positive", 0.8, SURE)
    if sad and not glad:
        return Opinion("negative", -0.8, SURE)
    return Opinion("neutral", 0.0, UNSURE, mixed=bool(glad and sad))
