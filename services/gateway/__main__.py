"""`python -m services.gateway`: the public API."""

from services.gateway.app import create_app
from services.gateway.settings import Settings
from shared.http import serve
from shared.startup import read_settings


def main() -> None:
    """Run the gateway until it is stopped, with the settings of the environment."""
    settings = read_settings("gateway", Settings)
    serve(create_app(settings), settings, settings.trusted_proxies)


if __name__ == "__main__":
    main()
