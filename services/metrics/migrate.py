"""`python -m services.metrics.migrate`: bring the database to this version's schema."""

from pathlib import Path

import structlog

from services.metrics.settings import Settings
from shared.migrations import upgrade
from shared.startup import read_settings

log = structlog.get_logger()

SCRIPTS = Path(__file__).with_name("migrations")


def main() -> None:
    """Apply the migrations that the database of METRICS_DATABASE_URL lacks."""
    revision = upgrade(read_settings("metrics", Settings).database, SCRIPTS)
    log.info("database.migrated", revision=revision)


if __name__ == "__main__":
    main()
