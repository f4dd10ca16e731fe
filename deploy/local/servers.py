"""PostgreSQL 18 and Apache Kafka as child processes on 127.0.0.1, each with a folder of its own.

`start()` returns when the server answers, and raises StartFailed if it does not; `progress` receives steps that take long.
`stop()` ends it. Both can be called again.
"""

from deploy.local.kafka import Kafka
from deploy.local.ports import free_port, free_port_base
from deploy.local.postgres import Postgres
from deploy.local.processes import StartFailed

__all__ = ["Kafka", "Postgres", "StartFailed", "free_port", "free_port_base"]
