"""The settings of connections to Kafka, and the arguments that clients get from them."""

import ssl
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError
from pydantic import SecretStr, ValidationError

from services.sentiment.settings import Settings
from shared.brokers import Brokers
from shared.kafka.connection import connection
from shared.settings import invalid_variables, public_values

SCRAM = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "sentiment", "KAFKA_SASL_PASSWORD": "correct horse"}


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in {"INTERNAL_TOKEN": "internal-token-of-the-tests", **variables}.items():
        monkeypatch.setenv(name, value)
    return Settings()


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, str]:
    """Variable → why it is refused."""
    with pytest.raises(ValidationError) as error:
        settings(monkeypatch, **variables)
    return invalid_variables(Settings, error.value)


def test_without_settings_connections_are_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    brokers = settings(monkeypatch, KAFKA_BOOTSTRAP_SERVERS="a:9092,b:9092").brokers
    assert connection(brokers) == connection("a:9092,b:9092")
    assert connection(brokers) == {"bootstrap_servers": "a:9092,b:9092", "security_protocol": "PLAINTEXT"}


def test_tls_verifies_certificates_and_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = connection(settings(monkeypatch, KAFKA_SECURITY_PROTOCOL="SSL").brokers)
    context = arguments["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not [name for name in arguments if name.startswith("sasl")]


def test_a_user_has_a_name_and_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = connection(settings(monkeypatch, **SCRAM).brokers)
    assert arguments["security_protocol"] == "SASL_SSL"
    assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (arguments["sasl_plain_username"], arguments["sasl_plain_password"]) == ("sentiment", "correct horse")


def test_a_password_in_a_file_is_read_for_each_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("first\n")
    variables = {name: value for name, value in SCRAM.items() if name != "KAFKA_SASL_PASSWORD"}
    brokers = settings(monkeypatch, **variables, KAFKA_SASL_PASSWORD_FILE=str(file)).brokers
    assert connection(brokers)["sasl_plain_password"] == "first"
    file.write_text("second\n")
    assert connection(brokers)["sasl_plain_password"] == "second"
    file.unlink()
    with pytest.raises(KafkaError, match="FileNotFoundError"):
        connection(brokers)


async def test_a_token_is_read_for_each_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first")
    variables = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "OAUTHBEARER", "KAFKA_SASL_TOKEN_FILE": str(file)}
    provider = connection(settings(monkeypatch, **variables).brokers)["sasl_oauth_token_provider"]
    assert await provider.token() == "first"
    file.write_text("second")
    assert await provider.token() == "second"


def test_an_unreadable_certificate_is_an_error_of_the_client(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_text("no certificate")
    with pytest.raises(KafkaError, match="certificates can't be read"):
        connection(Brokers("a:9093", "SSL", ca_file=file))


@pytest.mark.parametrize(
    ("variables", "variable", "reason"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL", "should match pattern"),
        ({**SCRAM, "KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM", "should match pattern"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_PASSWORD": "x"}, "KAFKA_SASL_USERNAME", "it is required with SASL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "x"}, "KAFKA_SASL_PASSWORD_FILE", "KAFKA_SASL_PASSWORD"),
        ({**SCRAM, "KAFKA_SASL_MECHANISM": "OAUTHBEARER"}, "KAFKA_SASL_TOKEN_FILE", "it is required for OAUTHBEARER"),
        ({**SCRAM, "KAFKA_SASL_PASSWORD_FILE": __file__}, "KAFKA_SASL_PASSWORD_FILE", "either it or KAFKA_SASL_PASSWORD"),
        ({"KAFKA_SSL_CA_FILE": "/nowhere/ca.crt"}, "KAFKA_SSL_CA_FILE", "does not point to a file"),
        ({"KAFKA_SSL_CERTIFICATE_FILE": __file__}, "KAFKA_SSL_KEY_FILE", "KAFKA_SSL_CERTIFICATE_FILE"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(
    variables: dict[str, str], variable: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = refused(monkeypatch, **variables)
    assert list(reasons) == [variable]
    assert reason in reasons[variable]


def test_the_password_is_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    values = public_values(settings(monkeypatch, **SCRAM))
    assert values["KAFKA_SASL_USERNAME"] == "sentiment"
    assert "correct horse" not in str(values)
    assert "correct horse" not in repr(Brokers("a:9092", password=SecretStr("correct horse")))
