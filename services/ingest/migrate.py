"""`python -m services.ingest.migrate`: bring the database of ingest up to date."""

from pathlib import Path

import structlog

from services.ingest.settings import Settings
from shared.migrations import upgrade
from shared.startup import read_settings

log = structlog.get_logger()

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Apply the migrations that the database lacks, and the database of the keys of bodies, if there is one: it has the same
    schema, of which only `body_keys` is used."""
    settings = read_settings("ingest", Settings)
    revision = upgrade(settings.database, SCRIPTS)
    if settings.keys_database_url:
        upgrade(settings.keys_database, SCRIPTS)
    log.info("database.migrated", revision=revision)


if __name__ == "__main__":
    main()
