"""The kept AsyncAPI document is what the code says now."""

from pathlib import Path

from deploy.asyncapi import document, page
from shared.topics import TOPICS

KEPT = Path(__file__).parents[3] / "docs" / "asyncapi.json"


def test_the_kept_document_is_made_from_the_topics() -> None:
    assert KEPT.read_text() == page(), "run: python -m deploy.asyncapi > docs/asyncapi.json"


def test_every_topic_has_a_channel_with_a_schema() -> None:
    made = document()
    assert set(made["channels"]) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        assert made["components"]["schemas"][topic.model.__name__]["required"]
