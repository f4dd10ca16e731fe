"""Alembic's entry: the shared runner with the gateway's tables."""

from services.gateway.store.tables import metadata
from shared.migrations import run_env

run_env(metadata)
