"""All Prometheus metrics of Earshot and their labels: never a tenant, never content of customers."""

from prometheus_client import Counter, Gauge, Histogram

SENT = Counter("earshot_kafka_sent_total", "Messages acknowledged by the broker", ["topic"])
SENDS_FAILED = Counter("earshot_kafka_sends_failed_total", "Sends that were not acknowledged in time", ["topic"])
HANDLED = Counter("earshot_kafka_handled_total", "Records whose effects are durable", ["group", "topic"])
PARKED = Counter("earshot_kafka_parked_total", "Records parked in a DLQ", ["group", "topic"])
REWOUND = Counter("earshot_kafka_rewound_total", "Batches that a handler asked to see again", ["group"])
COMMITS_LOST = Counter("earshot_kafka_commits_lost_total", "Commits that a rebalance or an outage took", ["group"])
OFFSETS_LOST = Counter(
    "earshot_kafka_offsets_lost_total", "Partitions whose offset was gone, so that a replay was asked", ["group"]
)
STALLS = Counter("earshot_kafka_stalls_total", "Consumers that stood still before a broker that answered", ["group"])
LAG = Gauge("earshot_kafka_lag_records", "Records that this consumer has yet to read", ["group", "topic", "partition"])
DELIVERIES = Counter("earshot_ingest_deliveries_total", "Deliveries by what became of them", ["outcome"])
POSTPONED = Counter("earshot_ingest_comments_postponed_total", "Events whose comments waited in the outbox for sentiment")
SCORED = Counter("earshot_sentiment_scored_total", "Comments scored and sent, by model and label", ["model", "label"])
SHADOW_MISSED = Counter("earshot_sentiment_shadow_missed_total", "Events of which the shadow's model scored not every comment")
RESPONSE_SECONDS = Histogram(
    "earshot_gateway_answer_seconds", "Time until an answer of the gateway began, by its route", ["method", "route", "status"]
)
HTTP_REFUSED = Counter(
    "earshot_http_refused_total", "Requests and connections that the server refused, by the limit of shared/heads.py", ["limit"]
)
CLIENTS_LEFT = Counter("earshot_http_clients_left_total", "Clients that closed the connection before their request was complete")
LIVE_READERS = Gauge("earshot_gateway_live_readers", "Live streams that are open")
LIVE_QUESTIONS = Counter("earshot_gateway_live_questions_total", "Questions that the live hub put to metrics")
