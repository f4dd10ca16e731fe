"""Prove that a request comes from the tool that shares a secret with us.

Most tools sign the raw body with an HMAC, some together with a timestamp. Others send the secret itself. Every comparison takes
constant time. The message of NotVerified never holds a secret.
"""

import hmac
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal

TOLERANCE = timedelta(minutes=5)
"""How far a signed timestamp may be from our clock, both ways."""

SHORTEST_SECRET, LONGEST_SECRET = 8, 512

UNIX_TIME = re.compile(r"\d{1,14}", re.ASCII)
LAST_UNIX_SECOND = 99_999_999_999

Algorithm = Literal["sha1", "sha256", "sha512"]
Encoding = Literal["hex", "base64"]


class NotVerified(Exception):
    """The request is not proved to come from the tool. The message says why and is safe to show."""


def is_hmac(
    signature: str, signed: bytes, keys: Iterable[bytes], algorithm: Algorithm = "sha256", encoding: Encoding = "base64"
) -> bool:
    """Whether `signature` is the HMAC of `signed` under any of the keys. Hexadecimal digits may be in either case."""
    presented = (signature.lower() if encoding == "hex" else signature).encode("utf-8", "replace")
    return any(hmac.compare_digest(presented, _encode(hmac.digest(key, signed, algorithm), encoding)) for key in keys)


def verify_hmac(
    signature: str, signed: bytes, keys: Iterable[bytes], algorithm: Algorithm = "sha256", encoding: Encoding = "base64"
) -> None:
    """Raises NotVerified unless `signature` is the HMAC of `signed` under one of the keys."""
    if not is_hmac(signature, signed, keys, algorithm, encoding):
        raise NotVerified("the signature is wrong")


def verify_named_hmac(
    header: str,
    signed: bytes,
    secrets: Iterable[str],
    algorithm: Algorithm = "sha256",
    encoding: Encoding = "base64",
    *,
    missing: str,
) -> None:
    """Verify a header of the form `<algorithm>=<HMAC of signed>`. Raises NotVerified, with `missing` if it has another form."""
    name, _, signature = header.partition("=")
    if name != algorithm:
        raise NotVerified(missing)
    verify_hmac(signature, signed, [secret.encode() for secret in secrets], algorithm, encoding)


def verify_secret(presented: str, secrets: Iterable[str]) -> None:
    """Raises NotVerified unless `presented`, from a header or a form, is one of the secrets."""
    value = presented.encode("utf-8", "replace")
    if not any(hmac.compare_digest(value, secret.encode()) for secret in secrets):
        raise NotVerified("the secret is wrong")


def verify_basic_auth(authorization: str, secrets: Iterable[str]) -> None:
    """Raises NotVerified unless an `Authorization` header holds one of the secrets, each of the form `user:password`."""
    scheme, _, credentials = authorization.partition(" ")
    try:
        presented = b64decode(credentials.strip(), validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        presented = b""
    if not presented:
        raise NotVerified("the Authorization header must be Basic")
    if not any(hmac.compare_digest(presented, secret.encode()) for secret in secrets):
        raise NotVerified("the user or the password is wrong")


def verify_recent(at: datetime, now: datetime, tolerance: timedelta = TOLERANCE) -> None:
    """Raises NotVerified if a signed timestamp is further than `tolerance` from `now`."""
    if abs(now - at) > tolerance:
        raise NotVerified(f"the timestamp is more than {tolerance // timedelta(minutes=1)} minutes from our clock")


def parse_unix_time(text: str, unit: Literal["s", "ms"] = "s") -> datetime:
    """The instant of a Unix time in seconds or milliseconds. Raises NotVerified if `text` is not one."""
    seconds = int(text) / (1000 if unit == "ms" else 1) if UNIX_TIME.fullmatch(text) else None
    if seconds is None or seconds > LAST_UNIX_SECOND:
        raise NotVerified("the timestamp is not a Unix time")
    return datetime.fromtimestamp(seconds, UTC)


def new_secret(random: bytes) -> str:
    """A secret of letters, digits, `-` and `_`. Tools use it as the literal text, not decoded."""
    return urlsafe_b64encode(random).decode().rstrip("=")


def refuse_secret(secret: str) -> str | None:
    """The reason why a literal secret can't be used; None if it can."""
    if SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        return None
    return f"{SHORTEST_SECRET} to {LONGEST_SECRET} characters"


def _encode(digest: bytes, encoding: Encoding) -> bytes:
    return digest.hex().encode() if encoding == "hex" else b64encode(digest)
