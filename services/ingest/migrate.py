"""`python -m services.ingest.migrate`: bring the database of ingest up to date."""

from pathlib import Path

import structlog

from services.ingest.settings import Settings
from shared.migrations import upgrade
from shared.startup import read_settings

log = structlog.get_logger()

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Apply the migrations that the database lacks."""
    revision = upgrade(read_settings("ingest", Settings).database_url, SCRIPTS)
    log.info("database.migrated", revision=revision)


if __name__ == "__main__":
    main()
