"""The settings and the credentials of a connection to HubSpot."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from services.ingest.domain.fields import GroupName
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.tool_api import Credentials, TokenRequest
from shared.events import Status


class HubSpotSettings(HelpDeskMapping):
    """`questions` are keyed by the id of a survey. `dimensions` name properties of tickets and of feedback submissions."""

    stages: dict[GroupName, Status] = Field(
        default_factory=dict,
        max_length=500,
        description="HubSpot: statuses by the id of a ticket's stage. Default: `open` or `closed`, as the pipeline says",
    )


API = "https://api.hubapi.com"

Token = Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")]


class HubSpotCredentials(Credentials):
    """The access token of a private app in HubSpot; or the client id, the client secret and a refresh token of a public app,
    which are exchanged for an access token every half an hour."""

    access_token: Token | None = Field(
        None, description="The access token of the private app", examples=["pat-eu1-the-access-token"]
    )
    client_id: Token | None = Field(None, description="Of a public app", examples=["27339af0-0a1e-4f31-9a4c-9d1b5c3f6e52"])
    client_secret: Token | None = Field(None, description="Of the same app", examples=["the-client-secret"])
    refresh_token: Token | None = Field(
        None, description="What HubSpot gave the app when it was installed", examples=["the-refresh-token"]
    )

    @model_validator(mode="after")
    def _check_one_kind(self) -> "HubSpotCredentials":
        exchanged = (self.client_id, self.client_secret, self.refresh_token)
        if (self.access_token is None) != all(exchanged) or (self.access_token and any(exchanged)):
            raise ValueError("either access_token, or client_id, client_secret and refresh_token")
        return self

    def token_request(self) -> TokenRequest | None:
        """The exchange of the refresh token, if there is one."""
        if self.client_id is None or self.client_secret is None or self.refresh_token is None:
            return None
        form = {"client_id": self.client_id, "client_secret": self.client_secret, "refresh_token": self.refresh_token}
        return TokenRequest(API, "/oauth/v1/token", {"grant_type": "refresh_token", **form})
