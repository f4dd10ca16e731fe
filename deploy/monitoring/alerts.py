"""The alerts. Each has a page of its name in docs/runbooks."""

from dataclasses import dataclass

VOLUMES = "(ingest|metrics|gateway)-database-.+|data-.+-earshot-.+"
"""The volumes that CloudNativePG and Strimzi claim for us."""
OURS = '{strimzi_io_cluster="earshot"}'
"""The brokers of our cluster."""


@dataclass(frozen=True)
class Alert:
    """A rule: `expr` was true for `lasting`."""

    name: str
    expr: str
    lasting: str
    severity: str
    """`critical`: somebody must act at once; `warning`: on the next working day."""
    summary: str


def largest(metric: str, by: str = "namespace") -> str:
    """The largest value of a gauge that several replicas report."""
    return f"max by ({by}) ({metric})"


AVAILABILITY = (
    Alert(
        "EarshotServiceDown",
        'group by (namespace, job) (present_over_time(up{job=~"earshot-.+"}[1d]))'
        ' unless group by (namespace, job) (up{job=~"earshot-.+"} == 1)',
        "5m",
        "critical",
        "no pod of {{ $labels.job }} can be scraped",
    ),
    Alert(
        "EarshotRequestsFail",
        'sum by (namespace, job) (rate(earshot_http_request_seconds_count{status="5xx"}[5m]))'
        " / sum by (namespace, job) (rate(earshot_http_request_seconds_count[5m])) > 0.01",
        "10m",
        "warning",
        "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail (5xx)",
    ),
    Alert(
        "EarshotDatabaseConnections",
        'sum by (namespace, job, pool) (earshot_database_connections{state="in_use"})'
        " / sum by (namespace, job, pool) (earshot_database_connections_limit) > 0.9",
        "10m",
        "warning",
        "{{ $labels.job }} uses {{ $value | humanizePercentage }} of the connections of its pool {{ $labels.pool }}",
    ),
)

FEEDBACK = (
    Alert(
        "EarshotQuarantineRate",
        'sum by (namespace, provider) (rate(earshot_ingest_deliveries_total{outcome="quarantined"}[1h]))'
        ' / sum by (namespace, provider) (rate(earshot_ingest_deliveries_total{outcome!~"refused|unavailable"}[1h])) > 0.05',
        "30m",
        "warning",
        "{{ $value | humanizePercentage }} of the deliveries of {{ $labels.provider }} can't be read",
    ),
    Alert(
        "EarshotDeliveriesRefused",
        'sum by (namespace, provider) (rate(earshot_ingest_deliveries_total{outcome="refused", provider!="unknown"}[1h]))'
        ' / sum by (namespace, provider) (rate(earshot_ingest_deliveries_total{provider!="unknown"}[1h])) > 0.05',
        "30m",
        "warning",
        "{{ $value | humanizePercentage }} of the deliveries of {{ $labels.provider }} are answered by a 4xx",
    ),
    Alert(
        "EarshotFetchesLate",
        f"{largest('earshot_ingest_fetches_seconds')} > 3600",
        "15m",
        "warning",
        "thin events have waited {{ $value | humanizeDuration }} for a tool's API",
    ),
    Alert(
        "EarshotImportStuck",
        f"{largest('earshot_ingest_imports_seconds')} > 300",
        "10m",
        "warning",
        "no process has worked on an import for {{ $value | humanizeDuration }}",
    ),
    Alert(
        "EarshotErasureLate",
        f"{largest('earshot_ingest_erasures_seconds')} > 8 * 86400",
        "1h",
        "warning",
        "an erasure has not been completed for {{ $value | humanizeDuration }}",
    ),
)

PIPELINE = (
    Alert(
        "EarshotOutboxOld",
        f"{largest('earshot_ingest_outbox_seconds')} > 300 and {largest('earshot_ingest_outbox_deliveries')}"
        f" >= {largest('earshot_ingest_outbox_deliveries offset 10m')} unless {largest('earshot_ingest_replays_running')} > 0",
        "15m",
        "critical",
        "events have waited {{ $value | humanizeDuration }} in ingest's outbox, and no fewer than ten minutes ago",
    ),
    Alert(
        "EarshotRecoveryWaits",
        f"{largest('earshot_ingest_replays_seconds')} > 600"
        " or sum by (namespace) (rate(earshot_kafka_replays_refused_total[5m])) > 0",
        "10m",
        "critical",
        "records that Kafka lost are not published again: a replay makes no progress, or ingest doesn't accept it",
    ),
    Alert(
        "EarshotKafkaSendsFail",
        "sum by (namespace, job) (rate(earshot_kafka_sends_failed_total[5m])) > 0",
        "5m",
        "critical",
        "Kafka does not acknowledge what {{ $labels.job }} sends",
    ),
    Alert(
        "EarshotConsumerLag",
        f"{largest('earshot_kafka_lag_seconds', 'namespace, group')} > 300",
        "5m",
        "critical",
        "the group {{ $labels.group }} is {{ $value | humanizeDuration }} behind",
    ),
    Alert(
        "EarshotConsumerStalls",
        "sum by (namespace, group) (rate(earshot_kafka_stalls_total[30m])) > 0",
        "15m",
        "warning",
        "consumers of the group {{ $labels.group }} read nothing although Kafka has records",
    ),
    Alert(
        "EarshotDeadLettersGrow",
        f"{largest('earshot_kafka_dead_letters', 'namespace, topic')}"
        f" - {largest('min_over_time(earshot_kafka_dead_letters[1h])', 'namespace, topic')} > 0",
        "0m",
        "critical",
        "{{ $value }} records were moved to {{ $labels.topic }} within an hour",
    ),
    Alert(
        "EarshotDeadLetters",
        f"{largest('earshot_kafka_dead_letters', 'namespace, topic')} > 0",
        "1h",
        "warning",
        "{{ $value }} records in {{ $labels.topic }} are not counted",
    ),
)

NUMBERS = (
    Alert(
        "EarshotVerifyDiffers",
        f"{largest('earshot_metrics_verify_differing_tenants')} > 0",
        "0m",
        "critical",
        "the numbers of {{ $value }} tenants differ from the events behind them",
    ),
    Alert(
        "EarshotIngestBehind",
        f"{largest('max_over_time(earshot_metrics_ahead_of_ingest[1d])')} > 0",
        "0m",
        "critical",
        "metrics has counted events that ingest lacks, {{ $value }} sequence numbers ahead: was ingest's database restored?",
    ),
    Alert(
        "EarshotVerifyLate",
        f"{largest('earshot_metrics_verify_age_seconds')} > 3 * 86400",
        "1h",
        "warning",
        "a tenant's numbers have not been verified for {{ $value | humanizeDuration }}",
    ),
    Alert(
        "EarshotSealingBehind",
        f"{largest('earshot_metrics_sealing_seconds')} > 3600",
        "15m",
        "warning",
        "a tenant has waited {{ $value | humanizeDuration }} for the sealer",
    ),
)

PLATFORM = (
    Alert(
        "EarshotKafkaUnavailable",
        f"max by (namespace) (kafka_controller_kafkacontroller_offlinepartitionscount{OURS})"
        f" + sum by (namespace) (kafka_server_replicamanager_underminisrpartitioncount{OURS}) > 0",
        "5m",
        "critical",
        "{{ $value }} partitions of Kafka accept no records",
    ),
    Alert(
        "EarshotKafkaUnderReplicated",
        f"sum by (namespace) (kafka_server_replicamanager_underreplicatedpartitions{OURS}) > 0",
        "15m",
        "warning",
        "{{ $value }} partitions of Kafka lack a replica in sync",
    ),
    Alert(
        "EarshotCertificateExpires",
        'min by (name) (certmanager_certificate_expiration_timestamp_seconds{name=~"hooks-tls|gateway-tls"})'
        " - time() < 14 * 86400",
        "1h",
        "critical",
        "the certificate {{ $labels.name }} expires in {{ $value | humanizeDuration }}",
    ),
    Alert(
        "EarshotDiskFull",
        f'min by (namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes{{persistentvolumeclaim=~"{VOLUMES}"}}'
        " / kubelet_volume_stats_capacity_bytes) < 0.1",
        "5m",
        "critical",
        "{{ $value | humanizePercentage }} of the volume {{ $labels.persistentvolumeclaim }} is free",
    ),
    Alert(
        "EarshotDiskFills",
        "min by (namespace, persistentvolumeclaim) (predict_linear("
        f'kubelet_volume_stats_available_bytes{{persistentvolumeclaim=~"{VOLUMES}"}}[6h], 4 * 86400)) < 0',
        "1h",
        "warning",
        "the volume {{ $labels.persistentvolumeclaim }} will be full within four days",
    ),
    Alert(
        "EarshotBackupOld",
        "time() - max by (namespace, database) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp) > 2 * 86400",
        "1h",
        "critical",
        "the latest backup of {{ $labels.database }} is {{ $value | humanizeDuration }} old",
    ),
)

ALERTS = AVAILABILITY + FEEDBACK + PIPELINE + NUMBERS + PLATFORM
