"""The kept AsyncAPI document is what the code says now."""

from deploy.asyncapi import PAGE, document, page
from shared.topics import TOPICS


def test_the_committed_document_is_generated_from_the_topics() -> None:
    assert PAGE.read_text() == page(), "run: make docs"


def test_every_topic_has_a_channel_with_a_schema() -> None:
    made = document()
    assert set(made["channels"]) == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        assert made["components"]["schemas"][topic.model.__name__]["required"]
