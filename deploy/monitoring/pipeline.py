"""The dashboard for who is on call: each step from ingest's outbox to the databases."""

from deploy.monitoring.grafana import Dashboard, Panel, Query

PIPELINE = Dashboard(
    "earshot-pipeline",
    "Earshot / Pipeline",
    (
        (
            "Ingest to Kafka",
            (
                Panel(
                    "Outbox: age",
                    "s",
                    (Query("max(earshot_ingest_outbox_seconds{HERE})", "oldest delivery"),),
                    "Age of the oldest delivery whose events are not known to be in Kafka; also of a replayed delivery.",
                ),
                Panel(
                    "Outbox: deliveries",
                    "short",
                    (Query("max(earshot_ingest_outbox_deliveries{HERE})", "deliveries"),),
                    "Exact up to 10,000, above that an estimate.",
                ),
                Panel(
                    "Kafka: records sent",
                    "short",
                    (
                        Query("sum by (topic) (rate(earshot_kafka_sent_total{HERE}[5m]))", "{{topic}}"),
                        Query("sum by (topic) (rate(earshot_kafka_sends_failed_total{HERE}[5m]))", "{{topic}}: failed"),
                    ),
                    "Records a second, and sends that were not acknowledged in time.",
                ),
                Panel(
                    "Kafka: partitions in trouble",
                    "short",
                    (
                        Query("max(kafka_controller_kafkacontroller_offlinepartitionscount{HERE})", "without a leader"),
                        Query("sum(kafka_server_replicamanager_underminisrpartitioncount{HERE})", "below the minimum in sync"),
                        Query("sum(kafka_server_replicamanager_underreplicatedpartitions{HERE})", "without a replica in sync"),
                    ),
                    "Those of the first two kinds accept no records. By Strimzi's metrics.",
                ),
            ),
        ),
        (
            "Consumers",
            (
                Panel(
                    "Lag",
                    "s",
                    (Query("max by (group, topic) (earshot_kafka_lag_seconds{HERE})", "{{group}}: {{topic}}"),),
                    "Age of the oldest record that is not handled.",
                ),
                Panel(
                    "Lag in records",
                    "short",
                    (Query("sum by (group, topic) (earshot_kafka_lag_records{HERE})", "{{group}}: {{topic}}"),),
                    "Records that are not read.",
                ),
                Panel(
                    "Records handled",
                    "short",
                    (Query("sum by (group, topic) (rate(earshot_kafka_handled_total{HERE}[5m]))", "{{group}}: {{topic}}"),),
                    "Records a second whose effects are durable.",
                ),
                Panel(
                    "Faults of consumers",
                    "short",
                    (
                        Query("sum by (group) (rate(earshot_kafka_rewound_total{HERE}[5m]))", "{{group}}: rewound"),
                        Query("sum by (group) (rate(earshot_kafka_commits_lost_total{HERE}[5m]))", "{{group}}: commits lost"),
                        Query("sum by (group) (rate(earshot_kafka_stalls_total{HERE}[5m]))", "{{group}}: stalls"),
                        Query("sum by (group) (rate(earshot_kafka_offsets_lost_total{HERE}[5m]))", "{{group}}: offsets lost"),
                        Query("sum by (group) (rate(earshot_kafka_parked_total{HERE}[5m]))", "{{group}}: parked"),
                    ),
                    "Events a second.",
                ),
                Panel(
                    "Comments scored",
                    "short",
                    (Query("sum by (model, label) (rate(earshot_sentiment_scored_total{HERE}[5m]))", "{{model}}: {{label}}"),),
                    "Comments a second.",
                ),
                Panel(
                    "Comments postponed",
                    "short",
                    (Query("sum(rate(earshot_ingest_comments_postponed_total{HERE}[5m]))", "events"),),
                    "Events a second whose comments wait for sentiment.",
                ),
            ),
        ),
        (
            "Background work",
            (
                Panel(
                    "Sealer",
                    "s",
                    (Query("max(earshot_metrics_sealing_seconds{HERE})", "longest wait"),),
                    "Time for which the first tenant has been due.",
                ),
                Panel(
                    "Jobs, imports, replays, fetches and erasures: age",
                    "s",
                    (
                        Query("max(earshot_ingest_jobs_seconds{HERE})", "jobs"),
                        Query("max(earshot_ingest_imports_seconds{HERE})", "imports, since the latest step"),
                        Query("max(earshot_ingest_replays_seconds{HERE})", "replays, since the latest step"),
                        Query("max(earshot_ingest_fetches_seconds{HERE})", "fetches"),
                        Query("max(earshot_ingest_erasures_seconds{HERE})", "erasures"),
                    ),
                    "Age of the oldest that is not done.",
                ),
                Panel(
                    "Verification: age",
                    "s",
                    (Query("max(earshot_metrics_verify_age_seconds{HERE})", "oldest"),),
                    "Time since the latest verification of the tenant for which it is longest.",
                ),
                Panel(
                    "Calls to tools' APIs",
                    "reqps",
                    (
                        Query(
                            "sum by (provider, outcome) (rate(earshot_ingest_api_call_seconds_count{HERE}[5m]))",
                            "{{provider}}: {{outcome}}",
                        ),
                    ),
                    "Calls a second.",
                ),
            ),
        ),
        (
            "Databases and processes",
            (
                Panel(
                    "Connections to PostgreSQL in use",
                    "percentunit",
                    (
                        Query(
                            'sum by (job, pool) (earshot_database_connections{HERE, state="in_use"})'
                            " / sum by (job, pool) (earshot_database_connections_limit{HERE})",
                            "{{job}}: {{pool}}",
                        ),
                    ),
                    "Share of the most that the pool opens.",
                ),
                Panel(
                    "Processor time",
                    "short",
                    (Query('sum by (job) (rate(process_cpu_seconds_total{HERE, job=~"earshot-.+"}[5m]))', "{{job}}"),),
                    "Cores.",
                ),
                Panel(
                    "Memory of a pod",
                    "bytes",
                    (Query('max by (job) (process_resident_memory_bytes{HERE, job=~"earshot-.+"})', "{{job}}"),),
                    "Resident memory of the largest process.",
                ),
                Panel(
                    "Volumes: free",
                    "percentunit",
                    (
                        Query(
                            "min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{HERE}"
                            " / kubelet_volume_stats_capacity_bytes{HERE})",
                            "{{persistentvolumeclaim}}",
                        ),
                    ),
                    "Share of the disk of PostgreSQL and Kafka that is free.",
                ),
            ),
        ),
    ),
)
