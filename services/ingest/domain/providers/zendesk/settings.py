"""The settings and the credentials of a connection to Zendesk."""

import base64
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.tool_api import Credentials


class ZendeskSettings(HelpDeskMapping):
    """`dimensions` name fields of tickets."""

    fetch_surveys: bool = Field(
        False,
        description="Zendesk: whether the answers to satisfaction surveys are fetched by its API, with scales and comments. "
        "It needs `credentials`",
    )


class ZendeskCredentials(Credentials):
    """An API token of Zendesk, with the address of the user whose rights it has."""

    subdomain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = Field(
        description="The account's part of `https://<subdomain>.zendesk.com`", examples=["acme"]
    )
    email: Annotated[str, StringConstraints(min_length=3, max_length=320, pattern=r"^[\x21-\x39\x3b-\x7e]+$")] = Field(
        description="The address of an agent who may see all tickets; for `fetch_surveys` of an administrator",
        examples=["ada@example.com"],
    )
    api_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="The API token", examples=["the-api-token"]
    )


def base_url(credentials: ZendeskCredentials) -> str:
    """The account's API. The subdomain is one label, so the host is Zendesk's."""
    return f"https://{credentials.subdomain}.zendesk.com"


def headers(credentials: ZendeskCredentials) -> Mapping[str, str]:
    """Basic authentication with the token."""
    pair = f"{credentials.email}/token:{credentials.api_token}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
