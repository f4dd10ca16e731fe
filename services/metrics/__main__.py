"""`python -m services.metrics`: run the metrics service."""

from services.metrics.app import create_app
from services.metrics.settings import Settings
from shared.http import serve
from shared.startup import read_settings


def main() -> None:
    """Serve metrics until SIGTERM; settings come from the environment."""
    settings = read_settings("metrics", Settings)
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
