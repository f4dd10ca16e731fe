"""`python -m deploy.asyncapi`: write docs/asyncapi.json, the AsyncAPI 3.0 document of the topics, from `shared.topics`."""

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from shared.topics import EVENTS, SCORES, TOPICS

PAGE = Path(__file__).parents[1] / "docs" / "asyncapi.json"


REQUEST_HEADERS = {
    "request_id": {
        "type": "string",
        "description": "`X-Request-Id` of the request that brought the event or its replay",
    },
    "traceparent": {"type": "string", "description": "The trace of that request, as in W3C Trace Context, if it had one"},
}
RECEIVED_AT = {
    "type": "string",
    "format": "date-time",
    "description": "All events received before this time were published before this record",
}
LATER = {
    "type": "string",
    "const": "later",
    "description": "Sentiment skips this record: it is published again without this header, for its comments",
}
HEADERS: dict[str, dict[str, Any]] = {
    EVENTS.name: {"type": "object", "properties": {"received_at": RECEIVED_AT, "comments": LATER, **REQUEST_HEADERS}},
    SCORES.name: {"type": "object", "properties": {"received_at": RECEIVED_AT, **REQUEST_HEADERS}},
}
"""The headers of each topic's records, by the topic's name."""


def document() -> dict[str, Any]:
    """Channels, operations and message schemas: a channel for each topic, with its writer as the sender."""
    _, schemas = msgspec.json.schema_components([topic.model for topic in TOPICS], ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        if "description" in schema:  # a docstring, whose indentation Python removes only from 3.13 on
            schema["description"] = inspect.cleandoc(schema["description"])
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Earshot's topics",
            "version": "1",
            "description": "Each topic has one writer and a dead-letter topic `.dlq` for records that can't be processed.",
        },
        "defaultContentType": "application/json",
        "channels": {
            topic.name: {
                "address": topic.name,
                "description": f"Key: {topic.key}. Kept for {topic.retention_ms // 3_600_000} h.",
                "messages": {topic.model.__name__: {"$ref": f"#/components/messages/{topic.model.__name__}"}},
                "bindings": {"kafka": {"partitions": topic.partitions}},
            }
            for topic in TOPICS
        },
        "operations": {
            f"{topic.writer}.writes.{topic.name}": {"action": "send", "channel": {"$ref": f"#/channels/{topic.name}"}}
            for topic in TOPICS
        },
        "components": {
            "messages": {
                topic.model.__name__: {
                    "summary": (topic.model.__doc__ or "").split("\n")[0],
                    **({"headers": HEADERS[topic.name]} if topic.name in HEADERS else {}),
                    "payload": {"$ref": f"#/components/schemas/{topic.model.__name__}"},
                }
                for topic in TOPICS
            },
            "schemas": schemas,
        },
    }


def page() -> str:
    """The content of `docs/asyncapi.json`."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
