"""`python -m services.ingest.migrate`: bring the database of ingest up to date."""

from pathlib import Path

from services.ingest.settings import Settings
from shared.migrations import upgrade

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Apply the migrations that the database lacks."""
    upgrade(Settings().database_url, SCRIPTS)


if __name__ == "__main__":
    main()
