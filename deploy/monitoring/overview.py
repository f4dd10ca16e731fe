"""The dashboard for everybody: objectives, feedback, requests, correctness."""

from deploy.monitoring.grafana import Dashboard, Panel, Query, quantile
from deploy.monitoring.slos import SLOS

OBJECTIVES = tuple(
    Panel(
        f"{slo.name.capitalize()}: share of good events",
        "percentunit",
        tuple(Query(f"1 - {slo.series(window)}{{HERE}}", window) for window in ("1h", "1d", "3d")),
        f"The objective is {slo.objective:.1%}. Bad: {slo.bad_events}.",
        width=12,
        from_zero=False,
    )
    for slo in SLOS
)

OVERVIEW = Dashboard(
    "earshot-overview",
    "Earshot / Overview",
    (
        ("Objectives", OBJECTIVES),
        (
            "Feedback",
            (
                Panel(
                    "Deliveries by outcome",
                    "reqps",
                    (Query("sum by (outcome) (rate(earshot_ingest_deliveries_total{HERE}[5m]))", "{{outcome}}"),),
                    "Deliveries of tools and of the API, a second.",
                ),
                Panel(
                    "Deliveries by provider",
                    "reqps",
                    (Query("sum by (provider) (rate(earshot_ingest_deliveries_total{HERE}[5m]))", "{{provider}}"),),
                    "The provider of a connection that does not exist is `unknown`.",
                ),
                Panel(
                    "Receipt to KPI",
                    "s",
                    tuple(
                        Query(quantile(q, "earshot_metrics_event_seconds", "namespace"), f"p{q * 100:g}")
                        for q in (0.5, 0.9, 0.99)
                    ),
                    "Seconds from the receipt of live events until they are counted.",
                ),
            ),
        ),
        (
            "Requests",
            (
                Panel(
                    "Requests by service",
                    "reqps",
                    (Query("sum by (job) (rate(earshot_http_request_seconds_count{HERE}[5m]))", "{{job}}"),),
                    "Requests a second; a live stream counts once.",
                ),
                Panel(
                    "Failed requests",
                    "percentunit",
                    (
                        Query(
                            'sum by (job) (rate(earshot_http_request_seconds_count{HERE, status="5xx"}[5m]))'
                            " / sum by (job) (rate(earshot_http_request_seconds_count{HERE}[5m]))",
                            "{{job}}",
                        ),
                    ),
                    "The share of 5xx.",
                ),
                Panel(
                    "Response time, p99",
                    "s",
                    (Query(quantile(0.99, "earshot_http_request_seconds", "job"), "{{job}}"),),
                    "Seconds until the response begins.",
                ),
            ),
        ),
        (
            "Correctness",
            (
                Panel(
                    "Tenants whose numbers differ",
                    "short",
                    (Query("max(earshot_metrics_verify_differing_tenants{HERE})", "tenants"),),
                    "By the latest verification of each tenant; must be 0.",
                    kind="stat",
                ),
                Panel(
                    "Dead letters",
                    "short",
                    (Query("max by (topic) (earshot_kafka_dead_letters{HERE})", "{{topic}}"),),
                    "Records that could not be processed; must be 0.",
                    kind="stat",
                ),
                Panel(
                    "Pods",
                    "short",
                    (Query('sum by (job) (up{HERE, job=~"earshot-.+"})', "{{job}}"),),
                    "Pods that Prometheus reaches.",
                    kind="stat",
                ),
            ),
        ),
    ),
)
