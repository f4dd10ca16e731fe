"""Content negotiation by the `Accept` and `Accept-Encoding` headers (RFC 9110, 12.5)."""

from collections.abc import Sequence


def parse_weights(header: str) -> dict[str, float]:
    """The names in an `Accept…` header with their weights. A weight that is not a number counts as 0."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *params = (piece.strip() for piece in part.split(";"))
        if name:
            weights[name] = _parse_weight(next((param[2:] for param in params if param.startswith("q=")), "1"))
    return weights


def choose_media_type(accept: str, offered: Sequence[str]) -> str:
    """The offered type with the highest weight; of several the first. The first offered if `accept` allows none of them."""
    weights = parse_weights(accept)

    def weight(offer: str) -> float:
        return weights.get(offer, weights.get(f"{offer.split('/')[0]}/*", weights.get("*/*", 0.0)))

    return max(offered, key=weight) if weights else offered[0]


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip, by name or by `*`, with a weight above 0."""
    weights = parse_weights(accept_encoding)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _parse_weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
