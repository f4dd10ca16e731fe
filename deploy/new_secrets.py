"""`python3 -m deploy.new_secrets`: print new secrets for compose.yaml (`> .env`) or, with `--kubernetes`, as Secrets.

Needs only Python. Generate them once: without INGEST_SECRET_KEY the encrypted values in ingest's database, the connections'
secrets and the tenants' pseudonym keys, are lost.
"""

import argparse
import json
import secrets
import sys


def internal_token() -> str:
    """A random token of 32 bytes as base64url."""
    return secrets.token_urlsafe(32)


def secret_key() -> str:
    """32 random bytes as base64url with its padding."""
    return secrets.token_urlsafe(32) + "="


def for_compose() -> str:
    """Lines for `.env`."""
    values = {
        "INTERNAL_TOKEN": internal_token(),
        "INGEST_SECRET_KEY": secret_key(),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def for_kubernetes() -> str:
    """The Secrets that no operator generates, as JSON for `kubectl create -f -`, which unlike `apply` never overwrites them."""
    values_by_name = {"earshot": {"INTERNAL_TOKEN": internal_token()}, "ingest": {"INGEST_SECRET_KEY": secret_key()}}
    items = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}
        for name, values in values_by_name.items()
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2) + "\n"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--kubernetes", action="store_true", help="print Secrets instead of lines for .env")
    sys.stdout.write(for_kubernetes() if arguments.parse_args().kubernetes else for_compose())
