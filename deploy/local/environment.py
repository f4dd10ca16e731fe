"""The environment variables of the services, from the settings and from secrets that are generated once per data folder."""

import secrets
import shlex
from collections.abc import Mapping
from pathlib import Path

from deploy.local.files import read_json, replace, replace_json
from deploy.local.ports import HOST
from deploy.local.settings import DATABASES, SERVICES, Settings


def stack_secrets(path: Path) -> dict[str, str]:
    """The secrets of the stack, generated at the first call and stored in `path`."""
    content = read_json(path)
    # the secret key is 32 bytes in url-safe base64 with padding
    generated = {"internal_token": secrets.token_urlsafe(32), "ingest_secret_key": secrets.token_urlsafe(32) + "="}
    if not generated.keys() <= content.keys():
        content = generated | content
        replace_json(path, content)
    return {name: content[name] for name in generated}


def services_environment(
    settings: Settings, secrets: Mapping[str, str], database_urls: Mapping[str, str], bootstrap: str
) -> dict[str, str]:
    """One environment for all four services and their commands."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_INSTANCE": "local",
        "INTERNAL_TOKEN": secrets["internal_token"],
        **{f"{service.upper()}_HOST": HOST for service in SERVICES},
        **{f"{service.upper()}_PORT": str(settings.port(service)) for service in SERVICES},
        **{f"{name.upper()}_DATABASE_URL": database_urls[name] for name in DATABASES},
        "INGEST_PUBLIC_URL": settings.url("ingest"),
        "INGEST_SECRET_KEY": secrets["ingest_secret_key"],
        "INGEST_ENCRYPT_BODIES": "true",
        "INGEST_METRICS_URL": settings.url("metrics"),
        "METRICS_INGEST_URL": settings.url("ingest"),
        "SENTIMENT_INGEST_URL": settings.url("ingest"),
        "GATEWAY_INGEST_URL": settings.url("ingest"),
        "GATEWAY_METRICS_URL": settings.url("metrics"),
        "GATEWAY_SENTIMENT_URL": settings.url("sentiment"),
    }


def write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """Write the environment for commands that a person runs beside the stack: `set -a; . .local/services.env`."""
    replace(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in environment.items()))


def read_environment(path: Path) -> dict[str, str]:
    """Read the file of `write_environment`."""
    lines = (shlex.split(line)[0].partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in lines}
