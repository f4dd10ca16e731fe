"""`python -m services.gateway.migrate`: bring the gateway's database up to date."""

from pathlib import Path

import structlog

from services.gateway.settings import Settings
from shared.migrations import upgrade
from shared.startup import read_settings

log = structlog.get_logger()

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Run the migrations that the database of GATEWAY_DATABASE_URL lacks."""
    revision = upgrade(read_settings("gateway", Settings).database, SCRIPTS)
    log.info("database.migrated", revision=revision)


if __name__ == "__main__":
    main()
