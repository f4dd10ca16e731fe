"""Alembic's entry: the shared runner with the tables of ingest."""

from services.ingest.store.tables import metadata
from shared.migrations import run_env

run_env(metadata)
