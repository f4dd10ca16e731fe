"""The messages ("threads") of a conversation by Help Scout's Mailbox API, which its webhooks leave out.

`GET /v2/conversations/{id}/threads` lists them, 25 a page. The API takes access tokens that are valid for two days:
`POST /v2/oauth2/token` gives one for the id and the secret of an OAuth2 application (developer.helpscout.com/mailbox-api).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, StringConstraints

from services.ingest.domain.providers.help_desk import HelpDeskMapping
from services.ingest.domain.providers.payload import as_text, object_in, objects_in
from services.ingest.domain.providers.tool_api import Credentials, Documents, Fetch, TokenRequest

API = "https://api.helpscout.net"
MOST_PAGES = 10
"""Pages of a conversation that are fetched."""

THREADS = "threads:"
"""Begins the name of the document of a page."""
THREAD_FIELDS = ("id", "type", "state", "body", "createdAt")
"""The fields of a thread that are stored."""

AppId = Annotated[str, StringConstraints(min_length=8, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class HelpScoutSettings(HelpDeskMapping):
    """`dimensions` name custom fields, `mailboxId` and `type`."""

    fetch_threads: bool = Field(
        False,
        description="Help Scout: whether the messages of a conversation are fetched by its API after each event. It needs "
        "`credentials`",
    )


class HelpScoutCredentials(Credentials):
    """The id and the secret of an OAuth2 application of Help Scout. They are exchanged for an access token every two days."""

    client_id: AppId = Field(description="*App ID* of the application", examples=["the-app-id"])
    client_secret: AppId = Field(description="*App Secret* of the application", examples=["the-app-secret"])
    _access_token: str = PrivateAttr("")

    @property
    def access_token(self) -> str:
        """The access token of `with_token`. Empty without one."""
        return self._access_token

    def token_request(self) -> TokenRequest:
        """The exchange of the application's secret (client credentials)."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        return TokenRequest(API, "/v2/oauth2/token", form)

    def with_token(self, token: str) -> "HelpScoutCredentials":
        """The credentials with the access token of their exchange."""
        credentials = self.model_copy()
        credentials._access_token = token
        return credentials


def fetches(conversation: str, documents: Documents) -> Sequence[Fetch]:
    """The next page of threads, if one is missing. Those of a deleted conversation don't exist."""
    page = len(documents) + 1
    if documents:
        last = documents[f"{THREADS}{page - 1}"]
        pages = object_in(last, "page").get("totalPages")
        if page > MOST_PAGES or not isinstance(pages, int) or page > pages:
            return ()
    return (Fetch(f"{THREADS}{page}", f"/v2/conversations/{conversation}/threads", {"page": str(page)}, optional=True),)


def threads_in(documents: Documents) -> list[dict[str, Any]]:
    """The threads on all pages."""
    return [thread for document in documents.values() for thread in objects_in(object_in(document, "_embedded"), "threads")]


def condense(documents: Documents) -> Documents:
    """One page with those fields of the threads that are read."""
    return {f"{THREADS}1": {"_embedded": {"threads": [_condensed(thread) for thread in threads_in(documents)]}}}


def _condensed(thread: Mapping[str, Any]) -> dict[str, Any]:
    author = object_in(thread, "createdBy")
    fields = {name: thread[name] for name in THREAD_FIELDS if name in thread}
    return fields | {"createdBy": {"type": as_text(author.get("type")), "id": author.get("id")}}
