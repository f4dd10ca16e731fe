"""Verify requests of tools that sign nothing: they present the connection's secret itself."""

import base64
from collections.abc import Sequence

from services.ingest.domain.providers.provider import Request
from services.ingest.domain.signatures import NotVerified, verify_secret

HEADER = "x-earshot-secret"
PARAMETER = "token"


def verify_shared_secret(request: Request, secrets: Sequence[str], *, in_url: bool) -> None:
    """Raises NotVerified unless the request presents one of the secrets.

    It may be the header HEADER, or the password of basic authentication, which is also how clients send the user and the password
    in a URL. `in_url` allows the parameter PARAMETER of the URL as well, for tools that can send neither.
    """
    presented = request.headers.get(HEADER) or _password(request.headers.get("authorization"))
    if not presented and in_url:
        presented = request.query.get(PARAMETER, "")
    if not presented:
        otherwise = f", or {PARAMETER} in the URL," if in_url else ","
        raise NotVerified(f"{HEADER}, or basic authentication with the secret as password{otherwise} is needed")
    verify_secret(presented, secrets)


def _password(authorization: str) -> str:
    """The password of basic authentication. Empty if there is none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
