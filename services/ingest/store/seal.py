"""Encryption at rest (AES-256-GCM): what is sealed for one row can't be opened as another's."""

import os
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

NONCE_BYTES = 12


class Seal:
    """Seals and opens bytes under the key of INGEST_SECRET_KEY. `owner` names the row that they belong to."""

    def __init__(self, key: SecretStr) -> None:
        self._cipher = AESGCM(urlsafe_b64decode(key.get_secret_value()))

    def close(self, content: bytes, owner: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.encode())
