"""Read labelled comments for the tests of urgency, from the files `urgent_*.jsonl`.

The phrases of `domain/urgency` were tuned on `tuned`, `newer` and `families`. `held_out` and `fresh` are only counted, never
tuned on: a phrase that is added because of one of their comments makes their figures worthless.
"""

from pathlib import Path

import msgspec

from shared.events import Urgency


class Sentence(msgspec.Struct, frozen=True):
    """A comment, its language (empty if mixed), and the reason why it is urgent, or None."""

    text: str
    language: str
    reason: Urgency | None


def read(name: str) -> tuple[Sentence, ...]:
    decode = msgspec.json.Decoder(Sentence).decode
    path = Path(__file__).with_name(f"urgent_{name}.jsonl")
    return tuple(decode(line) for line in path.read_bytes().splitlines())


TUNED = read("tuned")
HELD_OUT = read("held_out")
"""Written together with TUNED, before the first phrases: every second line of each reason and language."""
NEWER = read("newer")
"""Written after the first phrases, in other words, with hard ones that are not urgent."""
FAMILIES = read("families")
"""Written together with the phrases of version 2, which were tuned on it."""
FRESH = read("fresh")
"""Made up by one author (a language model) who had seen neither the phrases nor the other files.

They read like tickets, surveys and app reviews. No native speaker has read those in other languages than English.
"""
