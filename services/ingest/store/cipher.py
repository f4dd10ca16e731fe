"""Encryption at rest (AES-256-GCM). A ciphertext is bound to the row that owns it: it can't be decrypted as another row's."""

import os
from base64 import urlsafe_b64decode
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

NONCE_BYTES = 12


class Cipher:
    """Encrypts under `key` and decrypts under it and each of `further_keys`.

    `owner` is the id of the row that holds the ciphertext.
    """

    def __init__(self, key: SecretStr, further_keys: Sequence[SecretStr] = ()) -> None:
        self._aead, *self._further = [AESGCM(urlsafe_b64decode(secret.get_secret_value())) for secret in (key, *further_keys)]

    def encrypt(self, content: bytes, owner: str) -> bytes:
        """A random nonce and the ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, content, owner.encode())

    def encrypt_all(self, contents: Sequence[bytes], owners: Sequence[str]) -> list[bytes]:
        """Each content like `encrypt`, in half the time."""
        random = os.urandom(NONCE_BYTES * len(contents))
        nonces = [random[at : at + NONCE_BYTES] for at in range(0, len(random), NONCE_BYTES)]
        encrypt = self._aead.encrypt
        return [
            nonce + encrypt(nonce, content, owner.encode())
            for nonce, content, owner in zip(nonces, contents, owners, strict=True)
        ]

    def decrypt(self, encrypted: bytes, owner: str) -> bytes:
        """Raises InvalidTag if none of the keys fits, the ciphertext was changed, or it belongs to another row."""
        content = _decrypted(self._aead, encrypted, owner)
        if content is not None:
            return content
        return self._decrypt_by_further_keys(encrypted, owner)

    def renew(self, encrypted: bytes, owner: str) -> bytes | None:
        """The same content, encrypted under `key`. None if it is already. Raises InvalidTag like `decrypt`."""
        if _decrypted(self._aead, encrypted, owner) is not None:
            return None
        return self.encrypt(self._decrypt_by_further_keys(encrypted, owner), owner)

    def _decrypt_by_further_keys(self, encrypted: bytes, owner: str) -> bytes:
        for aead in self._further:
            content = _decrypted(aead, encrypted, owner)
            if content is not None:
                return content
        raise InvalidTag


def _decrypted(aead: AESGCM, encrypted: bytes, owner: str) -> bytes | None:
    """The content. None if it was not encrypted under this key for this owner."""
    try:
        return aead.decrypt(encrypted[:NONCE_BYTES], encrypted[NONCE_BYTES:], owner.encode())
    except InvalidTag:
        return None
