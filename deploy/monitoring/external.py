"""Series of other exporters that the rules read. Without such an exporter its alerts never fire."""

from typing import NamedTuple


class External(NamedTuple):
    """A series of another program, and those of its labels that we use."""

    exporter: str
    labels: tuple[str, ...]


EXTERNAL = {
    "up": External("Prometheus, of each pod that it scrapes", ()),
    "kubelet_volume_stats_available_bytes": External("the kubelet", ("persistentvolumeclaim",)),
    "kubelet_volume_stats_capacity_bytes": External("the kubelet", ("persistentvolumeclaim",)),
    "certmanager_certificate_expiration_timestamp_seconds": External("cert-manager", ("name",)),
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp": External(
        "CloudNativePG with its Barman Cloud plugin, read by our PodMonitor", ("database",)
    ),
}
"""https://cert-manager.io/docs/devops-tips/prometheus-metrics/, https://cloudnative-pg.io/plugin-barman-cloud/docs/observability/"""
