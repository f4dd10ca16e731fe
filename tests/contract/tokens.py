"""Tokens as an identity provider issues them: JSON Web Tokens, signed by RS256, and the provider's key set."""

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

AUDIENCE = "kafka"


def encode(content: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")


def new_key() -> rsa.RSAPrivateKey:
    """A key of the size that RS256 requires."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """An identity provider with one key."""

    key: rsa.RSAPrivateKey = field(default_factory=new_key)

    def key_set(self) -> str:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        modulus, exponent = (encode(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (numbers.n, numbers.e))
        return json.dumps({"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": modulus, "e": exponent}]})

    def token(self, subject: str, seconds: float = 600, audience: str = AUDIENCE) -> str:
        """A token of `subject` that is valid for so many seconds from now."""
        now = int(time.time())
        claims = {"sub": subject, "aud": audience, "iat": now - 3600, "exp": int(now + seconds), "scope": "kafka"}
        parts = [encode(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, claims)]
        signature = self.key.sign(".".join(parts).encode(), padding.PKCS1v15(), SHA256())
        return ".".join([*parts, encode(signature)])
