"""Connections to PostgreSQL by TLS: verified as the settings say, with files that may change while a service runs."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.engine import make_url

from deploy.local.servers import Postgres
from services.metrics.settings import Settings
from shared.database import OUTAGE, open_engine, open_pool, outage_is_503
from shared.databases import Database
from shared.migrations import upgrade
from shared.problems import Unavailable
from tests.conftest import SERVICES
from tests.contract.certificates import write_certificates
from tests.contract.tls_server import tls_server

ENCRYPTED: dict[str, Any] = {"DATABASE_SSL_MODE": "require"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificates of the tests."""
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder)
    return folder


@pytest.fixture
async def port(postgres: Postgres, folder: Path) -> AsyncIterator[int]:
    """The port of a server with TLS, whose certificate is for the address 127.0.0.1 alone."""
    async with tls_server(postgres.port, folder) as port:
        yield port


def database(postgres: Postgres, port: int, host: str = "127.0.0.1", name: str = "postgres", **variables: Any) -> Database:
    """The database as a service reads it from its environment variables."""
    url = make_url(postgres.url(name)).set(host=host, port=port).render_as_string(hide_password=False)
    token = {"INTERNAL_TOKEN": "internal-token-of-the-tests"}
    return Settings.model_validate({"database_url": url, **token, **variables}).database


async def connects(database: Database) -> bool:
    """Whether a pool and an engine connect. Raises AssertionError if only one of them does."""
    results = []
    async with open_pool(database) as pool:
        try:
            results.append(await pool.fetchval("SELECT 1") == 1)
        except OUTAGE:
            results.append(False)
    engine = open_engine(database)
    try:
        async with outage_is_503(), engine.begin() as connection:
            results.append((await connection.execute(text("SELECT 1"))).scalar() == 1)
    except Unavailable:
        results.append(False)
    await engine.dispose()
    assert len(set(results)) == 1, results
    return results[0]


async def test_verify_full_needs_an_authority_and_a_host_name_that_match(postgres: Postgres, port: int, folder: Path) -> None:
    full: dict[str, Any] = {"DATABASE_SSL_MODE": "verify-full", "DATABASE_SSL_CA_FILE": folder / "ca.crt"}
    assert await connects(database(postgres, port, **full))
    with structlog.testing.capture_logs() as entries:
        assert not await connects(database(postgres, port, host="localhost", **full))
    assert {entry["event"] for entry in entries} == {"database.tls_failed"}
    assert all("Hostname mismatch" in entry["reason"] for entry in entries)
    assert not await connects(database(postgres, port, DATABASE_SSL_MODE="verify-full"))


async def test_verify_ca_needs_an_authority_that_matches(postgres: Postgres, port: int, folder: Path) -> None:
    authority: dict[str, Any] = {"DATABASE_SSL_MODE": "verify-ca", "DATABASE_SSL_CA_FILE": folder / "ca.crt"}
    assert await connects(database(postgres, port, host="localhost", **authority))
    assert not await connects(database(postgres, port, DATABASE_SSL_MODE="verify-ca"))


async def test_require_encrypts_and_refuses_a_server_without_tls(postgres: Postgres, port: int) -> None:
    assert await connects(database(postgres, port, **ENCRYPTED))
    assert not await connects(database(postgres, postgres.port, **ENCRYPTED))
    assert await connects(database(postgres, postgres.port, DATABASE_SSL_MODE="prefer"))
    assert not await connects(database(postgres, port, DATABASE_SSL_MODE="disable"))


async def test_a_client_certificate_is_presented(postgres: Postgres, folder: Path) -> None:
    pair: dict[str, Any] = {
        "DATABASE_SSL_CERTIFICATE_FILE": folder / "client.crt",
        "DATABASE_SSL_KEY_FILE": folder / "client.key",
    }
    async with tls_server(postgres.port, folder, require_certificate=True) as port:
        assert await connects(database(postgres, port, **ENCRYPTED, **pair))
        assert not await connects(database(postgres, port, **ENCRYPTED))


async def test_parameters_of_the_url_replace_the_settings(postgres: Postgres, port: int, folder: Path) -> None:
    parameters = f"?sslmode=verify-full&sslrootcert={folder / 'ca.crt'}"
    assert await connects(database(postgres, port, name=f"postgres{parameters}", DATABASE_SSL_MODE="disable"))
    assert not await connects(database(postgres, port, host="localhost", name=f"postgres{parameters}"))


async def test_new_connections_use_the_present_content_of_the_files(
    postgres: Postgres, port: int, tmp_path: Path, folder: Path
) -> None:
    file = tmp_path / "ca.crt"
    other = tmp_path / "other"
    other.mkdir()
    write_certificates(other)
    file.write_bytes((other / "ca.crt").read_bytes())
    settings: dict[str, Any] = {"DATABASE_SSL_MODE": "verify-full", "DATABASE_SSL_CA_FILE": file}
    async with open_pool(database(postgres, port, **settings)) as pool:
        with pytest.raises(OUTAGE):
            await pool.fetchval("SELECT 1")
        file.write_bytes((folder / "ca.crt").read_bytes())
        assert await pool.fetchval("SELECT 1") == 1


async def test_migrations_use_tls(postgres: Postgres, port: int) -> None:
    await postgres.create_database("tls_migrated")
    verified = database(postgres, port, name="tls_migrated", DATABASE_SSL_MODE="verify-full")
    scripts = SERVICES / "gateway" / "migrations"
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(upgrade, verified, scripts)
    await asyncio.to_thread(upgrade, database(postgres, port, name="tls_migrated", **ENCRYPTED), scripts)
    connection = await asyncpg.connect(postgres.url("tls_migrated").replace("+asyncpg", ""))
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()
