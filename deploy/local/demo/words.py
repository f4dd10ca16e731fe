"""Comments of customers, composed from the phrases of `corpus/`."""

import random
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Mood = Literal["good", "mixed", "bad"]
Corpus = Mapping[str, Mapping[str, list[str]]]

ENDING = re.compile(r"[.!]+$")
NAMES = ("a.meyer", "jo.smith", "lucia.garcia", "d.kaya", "petra.novak", "m.olsen")
PHONES = ("+49 30 23125 {:03d}", "+44 20 7946 0{:03d}")
"""Numbers that are reserved for fiction."""


@cache
def corpus(language: str) -> Corpus:
    """Topic → mood or purpose → phrases."""
    with (Path(__file__).parent / "corpus" / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def comment(rng: random.Random, language: str, topic: str, mood: Mood, agent: str = "") -> str:
    """A comment on `topic`: mostly one to four sentences, sometimes a few words, rarely a non-answer."""
    phrases = corpus(language)
    chance = rng.random()
    if chance < 0.02:
        return rng.choice(phrases["nothing"]["any"])
    if chance < 0.12:
        return rng.choice(phrases["short"][mood])
    sentences = phrases[topic].get(mood) or phrases["support"][mood]
    parts = rng.sample(sentences, min(len(sentences), 2 if rng.random() < 0.25 else 1))
    if rng.random() < 0.35:
        parts[0] = after(rng.choice(phrases["openers"][mood]), parts[0])
    if rng.random() < 0.4:
        parts.append(rng.choice(phrases["closers"][mood]))
    return roughen(rng, fill(rng, language, " ".join(parts), agent))


def line(rng: random.Random, language: str, topic: str, purpose: str, agent: str = "") -> str:
    """A message of a ticket's conversation, or its opening (`purpose` "issue")."""
    return roughen(rng, fill(rng, language, rng.choice(corpus(language)[topic][purpose]), agent))


def after(opener: str, sentence: str) -> str:
    """`opener` and `sentence`, which loses its capital if the opener is no full sentence and it does not start with "I"."""
    new_sentence = opener.rstrip().endswith((".", "!", ":")) or re.match(r"I\b", sentence)
    return opener + (sentence if new_sentence else sentence[0].lower() + sentence[1:])


def fill(rng: random.Random, language: str, text: str, agent: str) -> str:
    """Fill the slots of a phrase."""
    slots = corpus(language)["slots"]
    values = {name: rng.choice(choices) for name, choices in slots.items()}
    values |= {
        "days": str(rng.randint(2, 9)),
        "hours": str(rng.randint(2, 8)),
        "agent": agent or "Kim",
        "order": f"#{rng.randint(100_000, 999_999)}",
        "email": f"{rng.choice(NAMES)}{rng.randint(1, 99)}@example.com",
        "phone": rng.choice(PHONES).format(rng.randint(100, 999)),
    }
    filled = text.format_map(values)
    return filled[0].upper() + filled[1:] if text.startswith("{") else filled


def roughen(rng: random.Random, text: str) -> str:
    """`text` as people type it: some without capitals or a full stop, some with exclamation marks."""
    chance = rng.random()
    if chance < 0.08:
        return ENDING.sub("", text).lower()
    if chance < 0.18:
        return ENDING.sub("", text)
    if chance < 0.23:
        return ENDING.sub("!!", text)
    return text
