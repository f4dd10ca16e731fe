"""The metrics that sentiment exports."""

from prometheus_client import Counter

from shared.instruments import CONSUMER, HTTP, PRODUCER

SCORED = Counter(
    "earshot_sentiment_scored_total", "Comments scored and sent, by model and label", ["model", "label"], registry=None
)
SHADOW_MISSED = Counter(
    "earshot_sentiment_shadow_missed_total", "Events of which the shadow's model scored not every comment", registry=None
)

FAMILIES = (*HTTP, *PRODUCER, *CONSUMER, SCORED, SHADOW_MISSED)
