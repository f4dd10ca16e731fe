"""Our own sentences with and without a reason for urgency, one file for each language: `LANGUAGE.jsonl`.

Half of those without a reason resemble urgent ones. Many scenes recur in several languages, so no part of the sentences can be
held out to measure by: a translation of it would be learnt. Their author (a language model) had seen neither the phrases of
`domain/urgency` nor the sentences on which urgency is measured; those that were equal or nearly so by chance were removed. The
last 198 lines in English and 60 to 62 in each other language are newer, learnt since e5-6. Their author knew the older ones, the
table in docs/sentiment.md and two of the held-out sentences; most of those in other languages translate the English ones. No
native speaker has read those in other languages than English.
"""

from pathlib import Path

import msgspec

from shared.events import Urgency

HERE = Path(__file__).parent


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment, its language, and the reason why it is urgent, or None."""

    text: str
    language: str
    reason: Urgency | None


def sentences() -> list[Sentence]:
    """All sentences, file by file."""
    decode = msgspec.json.Decoder(Sentence).decode
    return [decode(line) for file in sorted(HERE.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
