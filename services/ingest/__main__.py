"""`python -m services.ingest`: serve until SIGTERM."""

import sys

from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.http import serve
from shared.startup import read_settings

SWITCH_SECONDS = 0.001
"""Time after which a thread that reads a costly body yields to the event loop (Python's default: 5 ms). Answering a webhook takes
several rounds of the loop: with 1 ms it took 40 % less time beside a costly batch."""


def main() -> None:
    """Serve until SIGTERM."""
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = read_settings("ingest", Settings)
    serve(create_app(settings, import_process=True), settings)


if __name__ == "__main__":
    main()
