"""CloudEvents 1.0 over HTTP (github.com/cloudevents/spec): structured, binary and batched, with a bearer token.

`data` is our canonical record, or JSON of the sender's own that the connection's mapping describes. `source` and `id` together
identify an event, so they are the id of the delivery. The specification has no signature: the sender presents the secret in
`Authorization: Bearer`, or as `access_token` in the URL (http-webhook.md, section 3). The handshake by OPTIONS needs no secret;
the route answers it.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from services.ingest.domain import signatures
from services.ingest.domain.batch import TooMany, is_array, split_array
from services.ingest.domain.providers.cloudevents.event import ATTRIBUTE_HEADERS, STRUCTURED, CloudEvent, is_binary, read_event
from services.ingest.domain.providers.cloudevents.mapping import CloudEventsSettings, as_response, uses_mapping
from services.ingest.domain.providers.payload import Unusable, problem_of
from services.ingest.domain.providers.provider import ANY_RECORD, Headers, Parsed, Provider, Request
from services.ingest.domain.signatures import NotVerified, verify_secret
from shared.strict_json import Malformed

BATCH = "application/cloudevents-batch"
MAX_EVENTS = 1_000
"""Events of one batch."""

TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)
"""The characters of a bearer token (RFC 6750, section 2.1)."""


def _verify(request: Request, secrets: Sequence[str], now: datetime) -> None:
    scheme, _, token = request.headers.get("authorization").partition(" ")
    presented = token.strip() if scheme.lower() == "bearer" else request.query.get("access_token", "")
    if not presented:
        raise NotVerified("Authorization: Bearer with the secret, or access_token in the URL, is needed")
    verify_secret(presented, secrets)


def _is_batch(request: Request) -> bool:
    """Whether the body is an array of events: by its media type, or posted as plain JSON and not in binary mode."""
    if request.headers.get("content-type").lower().startswith(BATCH):
        return True
    return request.body_type in (None, "json") and not is_binary(request.headers) and is_array(request.body)


def _split(request: Request) -> Sequence[Request]:
    """One request for each event of a batch. The request itself if it is no batch, or one that can't be split."""
    if not _is_batch(request):
        return [request]
    try:
        events = split_array(request.body, MAX_EVENTS)
    except (Malformed, TooMany):
        return [request]
    headers = Headers({"content-type": STRUCTURED})
    return [Request(request.method, request.url, headers, event) for event in events] or [request]


def _parse(request: Request, settings: CloudEventsSettings) -> Parsed:
    """One event. A batch comes here only if it is empty, or can't be split."""
    if _is_batch(request):
        return _parse_batch(request.body)
    try:
        event = read_event(request)
    except Unusable as error:
        return problem_of(error)
    if settings.types and event.type not in settings.types:
        return Parsed(event.key, ignored=event.type)
    return _parse_event(event, settings)


def _parse_event(event: CloudEvent, settings: CloudEventsSettings) -> Parsed:
    if not uses_mapping(settings):
        try:
            return Parsed(event.key, [event.data()])
        except Unusable as error:
            return problem_of(error, event.key)
    return as_response(event, settings)


def _parse_batch(body: bytes) -> Parsed:
    try:
        events = split_array(body, MAX_EVENTS)
    except Malformed:
        return Parsed(None, problem="the batch is not a JSON array of events", problem_code="malformed_body")
    except TooMany:
        return Parsed(None, problem=f"a batch has at most {MAX_EVENTS} events: send them in several", problem_code="too_large")
    return Parsed(None, problem="a batch within a batch") if events else Parsed(None, ignored="empty-batch")


def _refuse_secret(secret: str) -> str | None:
    if not TOKEN.fullmatch(secret):
        return "letters, digits and - . _ ~ + /, with = at the end only, as in a bearer token"
    return signatures.refuse_secret(secret)


PROVIDER = Provider(
    verify=_verify,
    parse=_parse,
    settings=CloudEventsSettings,
    title="CloudEvents",
    content=ANY_RECORD,
    split=_split,
    stored_headers=("content-type", *ATTRIBUTE_HEADERS),
    refuse_secret=_refuse_secret,
    ends_with_410=True,
)
