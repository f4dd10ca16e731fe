"""The interface between ingest and a provider: the request of a tool in, canonical records out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, get_args
from urllib.parse import parse_qsl

from msgspec import Struct, structs

from services.ingest.domain import signatures
from services.ingest.domain.connection import ProviderSettings
from services.ingest.domain.mapping_use import NO_USE, MappingUse
from services.ingest.domain.providers.help_desk import HelpDeskMapping, with_bots
from services.ingest.domain.providers.tool_api import MOST_FETCHES, Credentials, Documents, Fetch, decode_content, is_fetched
from services.ingest.domain.providers.tool_history import Cursor, HistoryPage
from services.ingest.domain.reason_codes import ReasonCode
from services.ingest.domain.value_names import ValueName

BodyType = Literal["json", "form", "multipart", "xml"]

MEDIA_TYPES: tuple[tuple[str, BodyType | Literal["binary"]], ...] = (
    ("application/json", "json"),
    ("application/cloudevents+json", "json"),
    ("application/cloudevents-batch+json", "json"),
    ("application/cloudevents", "binary"),
    ("application/x-www-form-urlencoded", "form"),
    ("multipart/", "multipart"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
    ("application/octet-stream", "binary"),
    ("image/", "binary"),
)
"""Body types by the beginning of `Content-Type`."""

Content = Literal[
    "response",
    "review",
    "override",
    "erasure",
    "ticket.opened",
    "ticket.message",
    "ticket.status",
    "ticket.assigned",
    "ticket.priority",
    "ticket.rating",
    "ticket.merged",
    "ticket.spam",
    "ticket.deleted",
    "names",
]
"""Types of records and facts of tickets (docs/record.md); `names`: of teams, agents or surveys."""
ANY_RECORD: tuple[Content, ...] = get_args(Content)

S = TypeVar("S", bound=ProviderSettings)


class Headers:
    """HTTP headers. Names match in any case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    @classmethod
    def in_lower_case(cls, values: dict[str, str]) -> "Headers":
        """Headers whose names are in lower case already, as ASGI servers pass them. `values` is not copied."""
        headers = cls.__new__(cls)
        headers._values = values
        return headers

    def get(self, name: str) -> str:
        """The value of a header. Empty if the request does not have it."""
        return self._values.get(name.lower(), "")

    def only(self, names: Iterable[str]) -> dict[str, str]:
        """The headers of these names, which are in lower case."""
        return {name: self._values[name] for name in names if name in self._values}


class Request(Struct, frozen=True):
    """One HTTP request of a tool, as received.

    `url` is the public URL of the hook with its query, which some tools sign. `body` is the raw body: signatures cover its bytes.
    `received_at` is the time of receipt, the time of an event whose payload has none.
    """

    method: str
    url: str
    headers: Headers
    body: bytes
    received_at: datetime | None = None

    @classmethod
    def stored(cls, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None) -> "Request":
        """A delivery as the inbox stores it: without method and URL, with the provider's `stored_headers` alone."""
        return cls("POST", "", Headers(headers), body, received_at)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the URL. Of a repeated one the last value counts."""
        return dict(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))

    @property
    def body_type(self) -> BodyType | Literal["binary"] | None:
        """The type that `Content-Type` states. None if it is missing or in no row of MEDIA_TYPES."""
        content_type = self.headers.get("content-type").lower()
        return next((kind for start, kind in MEDIA_TYPES if content_type.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that a tool expects in place of ours, such as an echoed challenge."""

    status: int
    content_type: str
    body: bytes


class Parsed(Struct, frozen=True):
    """The canonical records of one delivery, as JSON values that are not validated yet.

    `id` is the tool's id of the delivery, the same on every retry; None if it has none. `ignored` names a kind of event that we
    do not use. `problem` says why the payload can't be read, `problem_code` the kind of reason. `about` lists the subjects of
    such a payload as far as they can be read, each as `<type>/<id>`; an erasure needs them. `use` says how the payload fits the
    mapping.
    `names` are those that the payload states for teams, agents and surveys, by their ids in the records. A name of a person is
    one of them only if the tool says that the person is staff: customers' names never leave ingest.
    `fetch` is the key of a thin event: what the tool's API must be asked for before the delivery can be read (`tool_api.py`).
    Waiting deliveries of one connection with the same key are completed by one fetch.
    """

    id: str | None
    records: Sequence[Any] = ()
    ignored: str | None = None
    problem: str | None = None
    problem_code: ReasonCode = "unexpected_payload"
    about: tuple[str, ...] = ()
    use: MappingUse = NO_USE
    names: tuple[ValueName, ...] = ()
    fetch: str | None = None


@dataclass(frozen=True, slots=True)
class ToolApi(Generic[S]):
    """The API of a tool that sends thin events, as pure functions and data.

    credentials is the model of a connection's `credentials`.
    base_url(credentials) is one of a fixed list, or one label under the tool's domain, never a text that a caller chooses.
    headers(credentials) authorize a call.
    fetches(event, documents, settings) returns the calls that are still missing, given the documents of earlier ones; none:
    complete. So a later call may depend on an earlier document, a list may have pages, and the fields that the connection's
    mapping names can be requested. It may raise Unusable.
    condense(documents) leaves out of the documents whatever `parse` does not need; the result is stored.
    parse(event, documents, settings) never raises. It reads the stored event and the condensed documents.
    is_used(settings) says whether events of a connection with these settings are fetched. Default: always.
    """

    credentials: type[Credentials]
    base_url: Callable[[Any], str]
    headers: Callable[[Any], Mapping[str, str]]
    fetches: Callable[[Request, Documents, S], Sequence[Fetch]]
    parse: Callable[[Request, Documents, S], Parsed]
    condense: Callable[[Documents], Documents] = dict
    is_used: Callable[[S], bool] = lambda settings: True


@dataclass(frozen=True, slots=True)
class ToolHistory(Generic[S]):
    """The list API of a tool, as pure functions and data.

    credentials, base_url and headers are like those of `ToolApi`.
    needs_surveys says that a list is of one survey, so a request must name the surveys by their ids in the tool.
    begin(since, surveys) returns the cursor of the first page. The surveys have passed `is_path_id`.
    fetches(cursor, documents, settings) returns the calls of a page that are still missing, given the documents of earlier ones.
    read(cursor, documents, settings) returns the page. Both may raise Unusable.
    shrink(cursor) returns the cursor of a smaller page at the same place; None if there is none.
    pause is the least time between two pages in seconds, by the tool's rate limit; most_calls are those that a page may need.
    parse(event, documents, settings) never raises. It reads deliveries of `as_fetched`, if the provider has no `api` that does.
    until_first_webhook says that facts of webhooks can't be matched with those of the list, since they have neither ids nor times
    of the tool. The cursor of the first page then gets `until`: when the connection's first webhook arrived, else now.
    """

    credentials: type[Credentials]
    base_url: Callable[[Any], str]
    headers: Callable[[Any], Mapping[str, str]]
    needs_surveys: bool
    begin: Callable[[datetime, Sequence[str]], Cursor]
    fetches: Callable[[Cursor, Documents, S], Sequence[Fetch]]
    read: Callable[[Cursor, Documents, S], HistoryPage]
    shrink: Callable[[Cursor], Cursor | None]
    pause: float
    most_calls: int = MOST_FETCHES
    parse: Callable[[Request, Documents, S], Parsed] | None = None
    until_first_webhook: bool = False


@dataclass(frozen=True, slots=True)
class Provider(Generic[S]):
    """A kind of tool, as pure functions and data.

    verify(request, secrets, now) raises NotVerified unless the request is signed with one of the secrets.
    parse(request, settings) never raises. It gets the body, `stored_headers` and the time of receipt only: deliveries that wait
    are read again.
    respond(request, secrets, now) answers challenges and handshakes, of GET, HEAD and POST requests. None: a delivery, or no
    answer of its own. It may raise NotVerified and runs before `verify`, so it must trust nothing that is not signed.
    settings is the model of a connection's `mapping`.
    title is the name of the tool. content lists the kinds of records and facts that its payloads state.
    body_types are the content types that the tool sends; others are refused with 415.
    new_secret(random) makes a secret of 32 random bytes. refuse_secret(secret) returns why a secret can't be used, or None.
    split(request) returns one request for each delivery in a batch, at least one; each is stored and read by itself, with the
    headers that it returns. It never raises. None: every request is one delivery.
    ends_with_410 says that a deleted connection answers 410, which the tool's protocol defines as the end. Others answer 202,
    since tools disable a webhook on 410, also while its connection is deleted by mistake.
    api describes the tool's API, if its events are thin. `parse` returns `Parsed(fetch=…)` for those, and `api.parse` reads the
    event together with the fetched documents.
    history describes the tool's list API, if a back-fill can fetch what happened before the webhook.
    """

    verify: Callable[[Request, Sequence[str], datetime], None]
    parse: Callable[[Request, S], Parsed]
    settings: type[S]
    title: str
    content: tuple[Content, ...]
    respond: Callable[[Request, Sequence[str], datetime], Reply | None] | None = None
    stored_headers: tuple[str, ...] = ()
    body_types: tuple[BodyType, ...] = ("json",)
    new_secret: Callable[[bytes], str] = signatures.new_secret
    refuse_secret: Callable[[str], str | None] = signatures.refuse_secret
    api: ToolApi[S] | None = None
    split: Callable[[Request], Sequence[Request]] | None = None
    ends_with_410: bool = False
    history: ToolHistory[S] | None = None

    @property
    def credentials(self) -> type[Credentials] | None:
        """The model of a connection's `credentials`. None if no API of the tool is called."""
        api = self.api or self.history
        return api.credentials if api else None

    def requests(self, request: Request) -> Sequence[Request]:
        """The deliveries of a request, at least one."""
        return self.split(request) if self.split else (request,)

    def accepts(self, request: Request) -> bool:
        """Whether the provider reads the body type of the request. A missing or unknown content type is accepted."""
        return request.body_type in (None, *self.body_types)

    def parse_stored(self, headers: Mapping[str, str], body: bytes, settings: S, received_at: datetime | None = None) -> Parsed:
        """The records of a stored delivery: of its body as received, or of its fetched content."""
        parsed = self._parse_stored(headers, body, settings, received_at)
        if isinstance(settings, HelpDeskMapping) and (bots := settings.bots):
            return structs.replace(parsed, records=[with_bots(record, bots) for record in parsed.records])
        return parsed

    def _parse_stored(self, headers: Mapping[str, str], body: bytes, settings: S, received_at: datetime | None) -> Parsed:
        parse = self.api.parse if self.api else self.history.parse if self.history else None
        if parse is None or not is_fetched(headers):
            return self.parse(Request.stored(headers, body, received_at), settings)
        content = decode_content(body)
        if content is None:
            return Parsed(None, problem="the fetched content can't be read", problem_code="internal_fault")
        return parse(Request.stored(headers, content.event, received_at), content.documents, settings)
