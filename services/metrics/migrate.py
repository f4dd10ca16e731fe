"""`python -m services.metrics.migrate`: bring the database to this version's schema."""

from pathlib import Path

from services.metrics.settings import Settings
from shared.migrations import upgrade

SCRIPTS = Path(__file__).with_name("migrations")

if __name__ == "__main__":
    upgrade(Settings().database_url, SCRIPTS)
