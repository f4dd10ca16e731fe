"""The metrics that the metrics service exports."""

from prometheus_client import Gauge

from shared.instruments import CONSUMER, DATABASE, HTTP, PRODUCER

SEALING_TENANTS = Gauge(
    "earshot_metrics_sealing_tenants", "Tenants that are due for the sealer, of all processes; at most 1,000", registry=None
)
SEALING_SECONDS = Gauge(
    "earshot_metrics_sealing_seconds", "Time for which the first of these tenants has been due; 0 if there is none", registry=None
)

FAMILIES = (*HTTP, *PRODUCER, *CONSUMER, *DATABASE, SEALING_TENANTS, SEALING_SECONDS)
