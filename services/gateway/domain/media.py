"""Content negotiation by the `Accept` and `Accept-Encoding` headers (RFC 9110, 12.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of an `Accept…` header: a name, its weight, and its other parameters; all in lower case."""

    name: str
    weight: float
    parameters: Mapping[str, str]


def parse_choices(header: str) -> list[Choice]:
    """The entries of an `Accept…` header. A weight that is not a number counts as 0."""
    choices = []
    for part in header.lower().split(","):
        name, *pieces = (piece.strip() for piece in part.split(";"))
        parameters = {key.strip(): value.strip().strip('"') for key, _, value in (piece.partition("=") for piece in pieces)}
        if name:
            choices.append(Choice(name, _parse_weight(parameters.pop("q", "1")), parameters))
    return choices


def parse_weights(header: str) -> dict[str, float]:
    """The names in an `Accept…` header with their weights."""
    return {choice.name: choice.weight for choice in parse_choices(header)}


def choose_media_type(accept: str, offered: Sequence[str]) -> str:
    """The offered type with the highest weight; of several the first. The first offered if `accept` allows none of them."""
    weights = parse_weights(accept)

    def weight(offer: str) -> float:
        return weights.get(offer, weights.get(f"{offer.split('/')[0]}/*", weights.get("*/*", 0.0)))

    return max(offered, key=weight) if weights else offered[0]


def parameters_of(accept: str, media_type: str) -> Mapping[str, str]:
    """The parameters with which `accept` names the media type: of several entries those of the highest weight."""
    named = [choice for choice in parse_choices(accept) if choice.name == media_type]
    return max(named, key=lambda choice: choice.weight).parameters if named else {}


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip, by name or by `*`, with a weight above 0."""
    weights = parse_weights(accept_encoding)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _parse_weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
