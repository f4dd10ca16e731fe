"""`python -m services.sentiment`: run the sentiment service."""

from services.sentiment.app import create_app
from services.sentiment.settings import Settings
from shared.http import serve
from shared.startup import read_settings


def main() -> None:
    """Run the service until it is stopped, with the settings of the environment."""
    settings = read_settings("sentiment", Settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
