"""Choosing among what we can answer with, by the `Accept` and `Accept-Encoding` headers (RFC 9110, 12.5)."""

from collections.abc import Sequence


def weights(header: str) -> dict[str, float]:
    """What a header accepts, each with its weight; what can't be read counts as 0."""
    found: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *params = (piece.strip() for piece in part.split(";"))
        if name:
            given = next((p[2:] for p in params if p.startswith("q=")), "1")
            found[name] = _weight(given)
    return found


def media_type(accept: str, offered: Sequence[str]) -> str:
    """The offered type that `accept` likes best, the first offered of equals, and the first where it likes none."""
    liked = weights(accept)

    def weight(offer: str) -> float:
        return liked.get(offer, liked.get(f"{offer.split('/')[0]}/*", liked.get("*/*", 0.0)))

    return max(offered, key=weight) if liked else offered[0]


def gzip_accepted(accept_encoding: str) -> bool:
    liked = weights(accept_encoding)
    return liked.get("gzip", liked.get("*", 0.0)) > 0


def _weight(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0
