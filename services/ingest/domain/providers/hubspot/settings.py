"""The settings and the credentials of a connection to HubSpot."""

from typing import Annotated

from pydantic import Field, StringConstraints

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.fields import GroupName
from services.ingest.domain.providers.tool_api import Credentials
from shared.events import Status


class HubSpotSettings(FieldMapping):
    """`questions` are keyed by the id of a survey. `dimensions` name properties of tickets and of feedback submissions."""

    stages: dict[GroupName, Status] = Field(
        default_factory=dict,
        max_length=500,
        description="HubSpot: statuses by the id of a ticket's stage. Default: `open` or `closed`, as the pipeline says",
    )


class HubSpotCredentials(Credentials):
    """The access token of a private app in HubSpot."""

    access_token: Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="The access token of the private app", examples=["pat-eu1-the-access-token"]
    )
