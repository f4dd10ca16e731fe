"""The arguments by which clients of aiokafka connect: addresses, TLS and authentication.

Passwords and certificates are read when a client is created. A client whose credentials were replaced fails; its successor reads
the new ones.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from shared.brokers import Brokers

Bootstrap = Brokers | str
"""How to reach Kafka, or the addresses of brokers alone, without TLS and authentication."""


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]
    """The token of OAUTHBEARER, read from a file for each new connection, so that another program can renew it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The content of the file."""
        return await asyncio.to_thread(read_secret, self._path)


def read_secret(path: Path) -> str:
    """The content of a file without the end of its line. Raises KafkaError if it can't be read."""
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise KafkaError(f"{path} can't be read: {type(error).__name__}") from error


def connection(bootstrap: Bootstrap) -> dict[str, Any]:
    """The arguments of a client that say how to connect. Raises KafkaError if a file is missing or invalid."""
    brokers = Brokers(bootstrap) if isinstance(bootstrap, str) else bootstrap
    arguments: dict[str, Any] = {"bootstrap_servers": brokers.servers, "security_protocol": brokers.protocol}
    if brokers.encrypted:
        arguments["ssl_context"] = tls_context(brokers)
    if brokers.authenticated:
        arguments["sasl_mechanism"] = brokers.mechanism
        if brokers.token_file:
            arguments["sasl_oauth_token_provider"] = TokenFile(brokers.token_file)
        else:
            arguments |= {"sasl_plain_username": brokers.username, "sasl_plain_password": password_of(brokers)}
    return arguments


def password_of(brokers: Brokers) -> str | None:
    """The password, from its file if there is one. Raises KafkaError if the file can't be read."""
    if brokers.password_file:
        return read_secret(brokers.password_file)
    return brokers.password.get_secret_value() if brokers.password else None


def tls_context(brokers: Brokers) -> ssl.SSLContext:
    """TLS that verifies the brokers' certificates and host names. Raises KafkaError if a file is missing or invalid."""
    try:
        context = ssl.create_default_context(cafile=brokers.ca_file)
        if brokers.certificate_file:
            context.load_cert_chain(brokers.certificate_file, brokers.key_file)
    except OSError as error:  # ssl.SSLError too
        raise KafkaError(f"certificates can't be read: {type(error).__name__}") from error
    return context
