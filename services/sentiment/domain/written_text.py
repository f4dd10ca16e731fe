"""The part of a comment that its author wrote: its HTML as text, without quoted messages, signatures and disclaimers.

A help desk stores whole e-mails. The agent's friendly answer, quoted below a complaint, must not make it praise. Only the part
that is scored is cut; the stored text stays whole.
"""

from services.sentiment.domain.mail.markup import has_markup, without_markup
from services.sentiment.domain.mail.quotes import without_quotes
from services.sentiment.domain.mail.signatures import without_signature

LONGEST = 40_000
"""Characters of a comment that are searched: ten times of what a model reads, since markup takes most of some e-mails."""


def written_text(text: str) -> str:
    """The part of `text` that its author wrote. Takes linear time.

    A message that only quotes or forwards another is returned with the quoted part, as it is all there is.
    """
    read = text[:LONGEST]
    if "<" in read and has_markup(read):
        read = without_markup(read)
    own = without_signature(without_quotes(read))
    return own if own.strip() else read
