"""What the OpenAPI document says of calls whose queries are read elsewhere: the parameters of a question about a KPI."""

from typing import Any

from services.gateway.domain.tables import RECORD_COLUMNS, kpi_columns

PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "invalid_params": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string"}, "reason": {"type": "string"}}},
        },
        "more_invalid_params": {"type": "integer", "description": "Places that are wrong too and are not listed"},
    },
}

REFUSALS = {
    400: "The query can't be answered as it is; `invalid_params` says why",
    401: "No key, or one that doesn't work",
    403: "The key lacks the scope",
    404: "There is no such thing, or it is another tenant's",
    429: "The key, its tenant or the address calls too often, or holds too much; retry after `Retry-After` seconds",
    503: "Our fault, or an outage; `Retry-After` says when to come again",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a call may answer with."""
    content = {"application/problem+json": {"schema": PROBLEM}}
    return {status: {"description": REFUSALS[status], "content": content} for status in statuses or REFUSALS}


def parameter(name: str, told: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": told, "schema": {"type": "string", **schema}}


QUESTION = [
    parameter("window", "`15m 1h 24h 7d 30d 90d 365d` ending now, or `today`, `this_week`, `last_month`, … in `tz`"),
    parameter("from", "RFC 3339; with `to` instead of `window`, half-open", format="date-time"),
    parameter("to", "RFC 3339, may lie ahead", format="date-time"),
    parameter("grain", "Size of a bucket; none: one value", enum=["PT15M", "PT1H", "P1D", "P1W", "P1M"]),
    parameter("tz", "IANA zone in which days are cut; the tenant's by default"),
    parameter("week_start", "The first day of a week", enum=["monday", "sunday"]),
    parameter("group_by", "Up to two dimensions, separated by a comma"),
    {
        "name": "filter",
        "in": "query",
        "style": "deepObject",
        "explode": True,
        "description": "`filter[team]=a,b`: one of these; `!a`: not this; `null`: no value. "
        "A backslash before `,`, `!` or a backslash takes it literally, and `\\null` is the value `null`",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    parameter("agg", "For spans; the catalogue tells the default", enum=["p50", "p90", "p95", "mean"]),
    parameter("hours", "Which seconds count", enum=["calendar", "business"]),
    parameter("filed_by", "The event time that files a record, where there is more than one"),
    {
        "name": "compare",
        "in": "query",
        "description": "`previous`, `previous_year` or `from/to`; repeat it for up to three different periods",
        "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "uniqueItems": True},
    },
    parameter("per", "The latest answer of each customer only", enum=["respondent"]),
    parameter("at", "The value as of an instant, for the backlog", format="date-time"),
]

PAGING = [
    parameter("cursor", "`next` of the page before"),
    {"name": "limit", "in": "query", "description": "Records on a page", "schema": {"type": "integer", "minimum": 1}},
]

VALUE_COLUMNS = ", ".join(kpi_columns(["<a column for each dimension of group_by>"], comparisons=1))
VALUE_FORMS = f"""As CSV (`Accept: text/csv`) the rows have these columns in this order: `{VALUE_COLUMNS}`; the last four for each
`compare`, numbered from 1. `distribution` is JSON; a text that a spreadsheet would take for a formula begins with an apostrophe.
As `application/x-ndjson`, one row a line."""

RECORD_FORMS = f"""As CSV (`Accept: text/csv`) the records have these columns in this order: `{", ".join(RECORD_COLUMNS)}`.
As CSV and `application/x-ndjson` the address of the next page is in the header `Link`.
As JSON and `application/x-ndjson` a record of a comment has `text_hash`, which names its text to `/v1/overrides`;
`themes`, a list of objects with `theme` and `score`; `urgency`, the reasons not to wait; `judged_by` and `themes_by`,
`human` or `model`, which tell whose its label and its themes are; and `model_label`, the label that the model gives."""

OVERRIDE: dict[str, Any] = {
    "type": "object",
    "required": ["subject", "comment", "label"],
    "additionalProperties": False,
    "properties": {
        "subject": {"type": "string", "description": "As `/v1/kpis/sentiment/records` shows it"},
        "comment": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "The `text_hash` of the record"},
        "label": {"enum": ["positive", "neutral", "negative", None], "description": "null: the model's"},
        "themes": {"type": "array", "items": {"type": "string"}, "maxItems": 50, "description": "Empty or left out: the model's"},
    },
}

OVERRIDING = """It beats every model's, and of two on one comment the one with the later `at` stands; here that is the time of
receipt. `"label": null` without themes takes back what was judged before. 404: the tenant has no such subject, or it never made
this comment. With an `Idempotency-Key` a retry is the same judgement, and another one under the same key is 422."""

POSTING = """Answers 202 once the record is on disk. With an `Idempotency-Key` a retry is `duplicate`; another content under a
used key is 422 with the type `urn:earshot:problem:idempotency-key-reused`, and is not stored."""

POSTING_MANY = """A JSON array, or one record a line as `application/x-ndjson`. Each record has a result of its own: `accepted`,
`duplicate`, or `rejected` with the problem; the good ones are stored. With an `Idempotency-Key` each record has the key of the
call and its index: another content at the same index is `rejected`. 503: the tenant has too many large bodies under way."""

BASED_ON = "The one that this is a change of; 409 where another is in force. Left out, it replaces whichever is"


def revision(told: str) -> dict[str, Any]:
    return {"name": "revision", "in": "query", "description": told, "schema": {"type": "integer", "minimum": 0}}


THEME: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name"],
    "additionalProperties": False,
    "description": "Known by its description and its examples, so one of the two must be there",
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"},
        "name": {"type": "string", "minLength": 1, "maxLength": 80},
        "description": {"type": "string", "maxLength": 500},
        "examples": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 500}, "maxItems": 40},
    },
}

TAXONOMY: dict[str, Any] = {
    "type": "object",
    "required": ["themes"],
    "additionalProperties": False,
    "properties": {
        "themes": {"type": "array", "items": THEME, "minItems": 1, "maxItems": 60},
        "revision": {"type": ["integer", "null"], "minimum": 0, "description": BASED_ON},
    },
}

GOLD_ROW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "comment": {"type": "string", "description": "The hash of the text"},
        "at": {"type": "string", "format": "date-time", "description": "When it was said"},
        "text": {"type": "string"},
        "language": {"type": ["string", "null"], "description": "The stated one, else the one found"},
        "label": {"enum": ["positive", "neutral", "negative", None], "description": "The human's; null: only themes were judged"},
        "themes": {"type": "array", "items": {"type": "string"}, "description": "The human's; none: left to the model"},
        "model": {"type": ["string", "null"], "description": "The model whose scores count; null: it hasn't scored the text"},
        "model_label": {"enum": ["positive", "neutral", "negative", None], "description": "What the model says"},
    },
}

GOLD_FORMS = """One row for each judgement that stands on a comment that stands; what was taken back, edited away or erased
isn't there.
As JSON page by page; a page may hold fewer rows than `limit`, even none, and only `"next": null` says that it is the last.
As `application/x-ndjson` all rows from `cursor` on in one stream, without `limit`; a stream that breaks off is not whole."""

WATCHED = [{**parameter("kpis", "Ids of KPIs, separated by commas"), "required": True}]

LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last `id` heard: nothing is told until there is something newer",
    "schema": {"type": "string"},
}
