"""Alembic's entry: see `shared.migrations`."""

from services.metrics.store.tables import metadata
from shared.migrations import run_env

run_env(metadata)
