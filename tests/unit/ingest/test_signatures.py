"""The helpers of signatures, on published vectors and on vectors computed from documented schemes."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.domain.signatures import (
    LONGEST_SECRET,
    SHORTEST_SECRET,
    NotVerified,
    is_hmac,
    new_secret,
    parse_unix_time,
    refuse_secret,
    verify_basic_auth,
    verify_hmac,
    verify_recent,
    verify_secret,
)
from tests.unit.ingest.making import NOW

GITHUB = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
"""docs.github.com, "Validating webhook deliveries"."""
HELP_SCOUT = "YhXKie6t+YQPJLRzdKWwTPsJN2w="
HUBSPOT_V3 = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="
"""HubSpot/hubspot-api-python, tests/spec/utils/test_signature.py."""


def test_published_vectors_are_accepted() -> None:
    verify_hmac(GITHUB, b"Hello, World!", [b"It's a Secret to Everybody"], "sha256", "hex")
    verify_hmac(GITHUB.upper(), b"Hello, World!", [b"It's a Secret to Everybody"], "sha256", "hex")
    verify_hmac(HELP_SCOUT, b'{"id":123}', [b"asdffdsa"], "sha1", "base64")
    signed = b"POSThttps://www.example.com/webhook_uri{'example_field':'example_value'}1693657560000"
    verify_hmac(HUBSPOT_V3, signed, [b"yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"])


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_every_algorithm_and_encoding_is_supported(algorithm: Any, encoding: Any) -> None:
    digest = hmac.new(b"key", b"body", getattr(hashlib, algorithm)).digest()
    signature = digest.hex() if encoding == "hex" else b64encode(digest).decode()
    assert is_hmac(signature, b"body", [b"former", b"key"], algorithm, encoding)
    for wrong, body, keys in ((signature, b"body ", [b"key"]), (signature, b"body", [b"other"]), (signature, b"body", [])):
        assert not is_hmac(wrong, body, keys, algorithm, encoding)
    for wrong in ("", signature[:-1], signature + " ", "ü", "\ud800"):
        with pytest.raises(NotVerified, match="the signature is wrong"):
            verify_hmac(wrong, b"body", [b"key"], algorithm, encoding)
    others = [one for one in ("sha1", "sha256", "sha512") if one != algorithm]
    assert not any(is_hmac(signature, b"body", [b"key"], other, encoding) for other in others)  # type: ignore[arg-type]


def test_base64_is_compared_in_its_own_case() -> None:
    assert not is_hmac(HELP_SCOUT.lower(), b'{"id":123}', [b"asdffdsa"], "sha1")


def test_a_shared_secret_must_be_equal() -> None:
    verify_secret("sésame", ["former", "sésame"])
    for wrong in ("", "sesame", "sésame ", "\ud800"):
        with pytest.raises(NotVerified, match="the secret is wrong"):
            verify_secret(wrong, ["sésame"])
    with pytest.raises(NotVerified):
        verify_secret("", [])


def test_basic_authentication_presents_user_and_password() -> None:
    credentials = b64encode(b"earshot:pass:word").decode()
    verify_basic_auth(f"Basic {credentials}", ["other:secret", "earshot:pass:word"])
    verify_basic_auth(f"basic  {credentials}", ["earshot:pass:word"])
    for wrong in (f"Bearer {credentials}", credentials, "Basic", "Basic ", "Basic !!!", "", "Basic \u00fc"):
        with pytest.raises(NotVerified, match="must be Basic"):
            verify_basic_auth(wrong, ["earshot:pass:word"])
    with pytest.raises(NotVerified, match="user or the password"):
        verify_basic_auth(f"Basic {credentials}", ["earshot:password"])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_timestamp_is_tolerated_within_its_bound(sign: int) -> None:
    verify_recent(NOW, NOW + sign * timedelta(minutes=5))
    with pytest.raises(NotVerified, match="more than 5 minutes"):
        verify_recent(NOW, NOW + sign * timedelta(minutes=5, microseconds=1))
    verify_recent(NOW, NOW + sign * timedelta(hours=1), timedelta(hours=1))
    with pytest.raises(NotVerified, match="more than 60 minutes"):
        verify_recent(NOW, NOW + sign * timedelta(hours=2), timedelta(hours=1))


def test_unix_times_are_read_in_seconds_and_milliseconds() -> None:
    assert parse_unix_time("1614265330") == datetime(2021, 2, 25, 15, 2, 10, tzinfo=UTC)
    assert parse_unix_time("1614265330250", "ms") == datetime(2021, 2, 25, 15, 2, 10, 250_000, tzinfo=UTC)
    assert parse_unix_time("99999999999").year == 5138
    for wrong in ("", "soon", "1.5", "-1", " 1", "1\n", "١٢", "9" * 12, "9" * 30):
        with pytest.raises(NotVerified, match="not a Unix time"):
            parse_unix_time(wrong)


def test_a_new_secret_is_plain_text_and_too_short_or_long_ones_are_refused() -> None:
    secret = new_secret(bytes(range(224, 256)))
    assert secret == "4OHi4-Tl5ufo6err7O3u7_Dx8vP09fb3-Pn6-_z9_v8"
    assert refuse_secret("x" * SHORTEST_SECRET) is refuse_secret("x" * LONGEST_SECRET) is None
    assert refuse_secret("x" * (SHORTEST_SECRET - 1)) == refuse_secret("x" * (LONGEST_SECRET + 1)) == "8 to 512 characters"
