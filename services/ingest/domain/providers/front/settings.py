"""The settings and the credentials of a connection to Front."""

from typing import Annotated

from pydantic import Field, StringConstraints

from services.ingest.domain.fields import GroupName
from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.tool_api import Credentials
from shared.events import Status


class FrontSettings(HelpDeskMapping):
    """`dimensions` name custom fields of conversations, `inbox` (the name of the first one) and `tag` (of the first one)."""

    statuses: dict[GroupName, Status] = Field(
        default_factory=dict,
        max_length=200,
        description="Front: statuses by the id or the name of your own ticket statuses; default: by their category",
    )
    fetch_previews: bool = Field(
        False, description="Front: whether the full event of a preview is fetched by Front's API. It needs `credentials`"
    )


class FrontCredentials(Credentials):
    """An API token of Front."""

    access_token: Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="An API token with the scope to read shared resources", examples=["the-api-token"]
    )
