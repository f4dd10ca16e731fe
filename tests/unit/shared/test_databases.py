"""The settings of connections to PostgreSQL, and the arguments that connections get from them."""

import ssl
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.ingest.settings import Settings as IngestSettings
from services.metrics.settings import Settings
from shared.database import dsn, engine_url, server_settings, tls_arguments
from shared.databases import Database
from shared.settings import invalid_variables

URL = "postgresql://metrics:correct-horse@db.example.com:5432/metrics"


def settings(monkeypatch: pytest.MonkeyPatch, url: str = URL, **variables: str) -> Settings:
    for name, value in {"INTERNAL_TOKEN": "internal-token-of-the-tests", "METRICS_DATABASE_URL": url, **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings()


def reasons(monkeypatch: pytest.MonkeyPatch, url: str = URL, **variables: str) -> dict[str, str]:
    """Variable → why it is refused."""
    with pytest.raises(ValidationError) as error:
        settings(monkeypatch, url, **variables)
    assert "correct-horse" not in str(error.value)
    return invalid_variables(Settings, error.value)


def test_without_settings_connections_use_tls_if_the_server_offers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tls_arguments(settings(monkeypatch).database) == {}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("require", (ssl.CERT_NONE, False)), ("verify-ca", (ssl.CERT_REQUIRED, False)), ("verify-full", (ssl.CERT_REQUIRED, True))],
)
def test_a_mode_decides_what_of_the_certificate_is_verified(
    monkeypatch: pytest.MonkeyPatch, mode: str, expected: tuple[ssl.VerifyMode, bool]
) -> None:
    context = tls_arguments(settings(monkeypatch, DATABASE_SSL_MODE=mode).database)["ssl"]
    assert (context.verify_mode, context.check_hostname) == expected


def test_a_url_has_parameters_of_libpq_and_they_are_no_part_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{URL}?sslmode=verify-full&sslrootcert=/tls/ca.crt&sslcert=/tls/tls.crt&sslkey=/tls/tls.key&application_name=earshot"
    database = settings(monkeypatch, url, DATABASE_SSL_MODE="disable").database
    assert (database.ssl_mode, database.ca_file) == ("verify-full", Path("/tls/ca.crt"))
    assert (database.certificate_file, database.key_file) == (Path("/tls/tls.crt"), Path("/tls/tls.key"))
    assert dsn(database) == URL
    assert not engine_url(database).query
    assert server_settings(database)["application_name"] == "earshot"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("REPLACE_ME", "it must begin with postgresql://"),
        ("mysql://u:correct-horse@h/d", "it must begin with postgresql://"),
        (f"{URL}?channel_binding=require", "its parameter channel_binding is not supported; allowed are sslmode, "),
        (f"{URL}?sslmode=strict", "its sslmode must be one of disable, prefer, require, verify-ca, verify-full"),
        (f"{URL}?sslcert=/tls/tls.crt", "its parameters sslcert and sslkey are required together"),
    ],
)
def test_an_unusable_url_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch, url: str, reason: str) -> None:
    assert reasons(monkeypatch, url)["METRICS_DATABASE_URL"].startswith(reason)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATABASE_SSL_MODE", "strict", "String should match pattern"),
        ("DATABASE_SSL_CA_FILE", "/nowhere/ca.crt", "Path does not point to a file"),
        ("DATABASE_POOLING", "statement", "String should match pattern"),
    ],
)
def test_an_invalid_variable_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    assert reasons(monkeypatch, **{variable: value})[variable].startswith(reason)


def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    certificate = tmp_path / "tls.crt"
    certificate.touch()
    expected = "it and DATABASE_SSL_CERTIFICATE_FILE are required together"
    assert reasons(monkeypatch, DATABASE_SSL_CERTIFICATE_FILE=str(certificate))["DATABASE_SSL_KEY_FILE"] == expected


def test_behind_a_pooler_in_transaction_mode_only_the_time_zone_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_settings(settings(monkeypatch, DATABASE_POOLING="transaction").database) == {"timezone": "UTC"}
    assert "idle_in_transaction_session_timeout" in server_settings(Database(SecretStr(URL)))


def test_the_database_of_keys_has_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "INTERNAL_TOKEN": "internal-token-of-the-tests",
        "INGEST_DATABASE_URL": URL,
        "INGEST_SECRET_KEY": "k" * 43 + "=",
        "INGEST_KEYS_DATABASE_URL": "postgresql://keys@keys.example.com/keys?sslmode=require",
        "DATABASE_SSL_MODE": "verify-full",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ingest = IngestSettings()
    assert (ingest.database.ssl_mode, ingest.keys_database.ssl_mode) == ("verify-full", "require")
