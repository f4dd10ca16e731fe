"""`python -m services.ingest`: serve until SIGTERM."""

from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.http import serve


def main() -> None:
    settings = Settings()
    serve("ingest", create_app(settings), settings)


if __name__ == "__main__":
    main()
