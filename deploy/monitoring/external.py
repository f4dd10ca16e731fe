"""Series of other exporters that the rules read. Without such an exporter its alerts never fire."""

from typing import NamedTuple


class External(NamedTuple):
    """A series of another program, and those of its labels that we use."""

    exporter: str
    labels: tuple[str, ...]


BROKERS = "Strimzi's metrics reporter in the brokers, read by our PodMonitor"
EXTERNAL = {
    "up": External("Prometheus, of each pod that it scrapes", ()),
    "kubelet_volume_stats_available_bytes": External("the kubelet", ("persistentvolumeclaim",)),
    "kubelet_volume_stats_capacity_bytes": External("the kubelet", ("persistentvolumeclaim",)),
    "certmanager_certificate_expiration_timestamp_seconds": External("cert-manager", ("name",)),
    "kafka_controller_kafkacontroller_offlinepartitionscount": External(BROKERS, ("strimzi_io_cluster",)),
    "kafka_server_replicamanager_underminisrpartitioncount": External(BROKERS, ("strimzi_io_cluster",)),
    "kafka_server_replicamanager_underreplicatedpartitions": External(BROKERS, ("strimzi_io_cluster",)),
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": External(
        "CloudNativePG with its Barman Cloud plugin, read by our PodMonitor", ("database",)
    ),
}
"""https://cert-manager.io/docs/devops-tips/prometheus-metrics/, https://cloudnative-pg.io/plugin-barman-cloud/docs/observability/,
and Kafka's https://kafka.apache.org/documentation/#monitoring in the names of https://github.com/strimzi/metrics-reporter"""
