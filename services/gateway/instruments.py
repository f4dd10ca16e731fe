"""The metrics that the gateway exports."""

from prometheus_client import Counter, Gauge, Histogram

from shared.instruments import DATABASE, HTTP

RESPONSE_SECONDS = Histogram(
    "earshot_gateway_answer_seconds",
    "Time until a response of the gateway begins, by route and status; for dashboards made before earshot_http_request_seconds",
    ["method", "route", "status"],
    registry=None,
)
LIVE_STREAMS = Gauge("earshot_gateway_live_readers", "Live streams that are open", registry=None)
LIVE_QUERIES = Counter("earshot_gateway_live_questions_total", "Queries that the live hub sent to metrics", registry=None)

FAMILIES = (*HTTP, *DATABASE, RESPONSE_SECONDS, LIVE_STREAMS, LIVE_QUERIES)
