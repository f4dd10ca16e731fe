"""Secrets that tools use as the literal text they are, which is most of them."""

from base64 import urlsafe_b64encode

SHORTEST, LONGEST = 8, 512


def new_secret(random: bytes) -> str:
    return urlsafe_b64encode(random).decode().rstrip("=")


def refuse_secret(secret: str) -> str | None:
    return None if SHORTEST <= len(secret) <= LONGEST else f"{SHORTEST} to {LONGEST} characters"
