"""Encryption at rest (AES-256-GCM). A ciphertext is bound to the row that owns it: it can't be decrypted as another row's."""

import os
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

NONCE_BYTES = 12


class Cipher:
    """Encrypts under the key of INGEST_SECRET_KEY. `owner` is the id of the row that holds the ciphertext."""

    def __init__(self, key: SecretStr) -> None:
        self._aead = AESGCM(urlsafe_b64decode(key.get_secret_value()))

    def encrypt(self, content: bytes, owner: str) -> bytes:
        """A random nonce and the ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, content, owner.encode())

    def decrypt(self, encrypted: bytes, owner: str) -> bytes:
        """Raises InvalidTag if the ciphertext was changed or belongs to another row."""
        return self._aead.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], owner.encode())
