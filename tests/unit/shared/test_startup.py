"""Settings at start: missing and invalid ones are one log line, and the log of a start holds no secret."""

import json
import os
import subprocess
import sys

from pydantic import AnyHttpUrl

from services.ingest.settings import Settings
from shared.settings import public_values
from shared.startup import INVALID_SETTINGS

REQUIRED = {
    "INTERNAL_TOKEN": "internal-token-of-the-tests",
    "INGEST_DATABASE_URL": "postgresql://user:database-password@db/ingest",
    "INGEST_SECRET_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}
READ = (
    "from services.ingest.settings import Settings; from shared.startup import read_settings; read_settings('ingest', Settings)"
)


def test_missing_and_invalid_settings_are_one_log_line_with_their_variables_and_without_values() -> None:
    wrong = {
        "INTERNAL_TOKEN": "short",
        "FURTHER_INTERNAL_TOKENS": "internal-token-of-the-tests,brief",
        "INGEST_PORT": "98765",
        "INGEST_SECRET_KEY": "c2VjcmV0",
        "LOG_LEVEL": "LOUD",
    }
    environment = {name: value for name, value in os.environ.items() if name not in REQUIRED} | wrong
    process = subprocess.run([sys.executable, "-c", READ], env=environment, capture_output=True, text=True, check=False)
    [line] = process.stderr.splitlines()
    logged = json.loads(line)
    assert (process.returncode, process.stdout) == (INVALID_SETTINGS, "")
    assert (logged["event"], logged["service"], logged["level"]) == ("settings.invalid", "ingest", "critical")
    assert logged["variables"] == {
        "INTERNAL_TOKEN": "Value should have at least 16 items after validation, not 5",
        "FURTHER_INTERNAL_TOKENS": "each token needs at least 16 characters",
        "INGEST_DATABASE_URL": "it is required",
        "INGEST_SECRET_KEY": "32 bytes as url-safe base64 are needed",
        "INGEST_PORT": "Input should be less than or equal to 65535",
        "LOG_LEVEL": "String should match pattern '^(DEBUG|INFO|WARNING|ERROR)$'",
    }
    assert not [value for value in wrong.values() if f'"{value}"' in line]


def test_a_list_of_secrets_may_have_blanks_and_empty_parts() -> None:
    fields = {name.removeprefix("INGEST_").lower(): value for name, value in REQUIRED.items()}
    settings = Settings.model_validate(fields | {"further_internal_tokens": f" {'a' * 16} ,,{'b' * 16}\n"})
    assert [token.get_secret_value() for token in settings.accepted_tokens] == [REQUIRED["INTERNAL_TOKEN"], "a" * 16, "b" * 16]


def test_the_log_of_a_start_has_the_settings_and_no_secret() -> None:
    url = AnyHttpUrl("https://user:password@hooks.example.com:8443/earshot")
    fields = {name.removeprefix("INGEST_").lower(): value for name, value in REQUIRED.items()}
    values = public_values(Settings.model_validate(fields | {"public_url": url}))
    assert values["INGEST_QUEUE_LIMIT"] == 10_000
    assert values["KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:9092"
    assert values["INGEST_PUBLIC_URL"] == "https://hooks.example.com:8443/earshot"
    assert not [name for name in REQUIRED if name in values]
    assert "password" not in json.dumps(values)
