"""The two servers beneath the services: a real PostgreSQL 18 from a wheel, a real Apache Kafka on a Java runtime from a wheel.

Both are plain child processes of ours on 127.0.0.1, with a folder each. `start()` returns when the server answers and raises
StartFailed when it won't; `stop()` ends it; both may be called again. Nothing is printed: `progress` is told what takes long.
"""

from deploy.local.kafka import Kafka
from deploy.local.ports import free_port, free_port_base
from deploy.local.postgres import Postgres
from deploy.local.processes import StartFailed

__all__ = ["Kafka", "Postgres", "StartFailed", "free_port", "free_port_base"]
