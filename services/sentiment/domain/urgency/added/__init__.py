"""Phrases of urgency that are known since version 2 of the rules (`domain/versions.py`), beside those of version 1.

They complete families of phrases: other ways to say the same in the same situation. They were written from the definitions in
docs/labelling.md, never because of a comment that is used for measurement.
"""

from services.sentiment.domain.urgency.added import arabic, dutch, english, french, german, italian, portuguese, spanish

LANGUAGES = (english, german, french, spanish, portuguese, italian, dutch, arabic)
