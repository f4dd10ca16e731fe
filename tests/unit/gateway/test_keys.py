from datetime import UTC, datetime, timedelta

import pytest

from services.gateway.domain.keys import SCOPES, Key, Scope, digest, expand_scopes, format_secret, parse_bearer, public_prefix

NOW = datetime(2026, 11, 20, tzinfo=UTC)


def key(*scopes: Scope, expires_at: datetime | None = None, revoked_at: datetime | None = None) -> Key:
    return Key("k", "acme", "UTC", "", "esk_", frozenset(scopes), NOW, expires_at, revoked_at)


def test_a_secret_is_parsed_and_only_its_beginning_is_public() -> None:
    secret = format_secret(bytes(range(32)))
    assert parse_bearer(f"Bearer {secret}") == parse_bearer(f"bearer  {secret} ") == secret
    assert secret.startswith(public_prefix(secret))
    assert len(public_prefix(secret)) < 12
    assert digest(secret) != digest(format_secret(bytes(32)))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Token " + format_secret(bytes(32)), "Bearer " + format_secret(bytes(32)) + "a"]
)
def test_a_malformed_authorization_header_is_none(header: str) -> None:
    assert parse_bearer(header) is None


def test_admin_includes_every_scope_but_pii() -> None:
    assert expand_scopes(["admin"]) == set(SCOPES) - {"pii:read"}
    assert expand_scopes(["admin", "pii:read"]) == set(SCOPES)
    assert not key("admin").has("pii:read")


@pytest.mark.parametrize("scope", [s for s in SCOPES if s != "admin"])
def test_a_scope_grants_only_itself(scope: Scope) -> None:
    assert [s for s in SCOPES if key(scope).has(s)] == [scope]


def test_a_key_is_inactive_from_its_expiry_or_revocation() -> None:
    assert key().is_active(NOW)
    assert key(expires_at=NOW + timedelta(seconds=1)).is_active(NOW)
    assert not key(expires_at=NOW).is_active(NOW)
    assert not key(revoked_at=NOW - timedelta(days=1)).is_active(NOW)
