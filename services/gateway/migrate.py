"""`python -m services.gateway.migrate`: bring the gateway's database up to date."""

from pathlib import Path

from services.gateway.settings import Settings
from shared.migrations import upgrade

SCRIPTS = Path(__file__).parent / "migrations"


def main() -> None:
    """Run the migrations that the database of GATEWAY_DATABASE_URL lacks."""
    upgrade(Settings().database_url, SCRIPTS)


if __name__ == "__main__":
    main()
