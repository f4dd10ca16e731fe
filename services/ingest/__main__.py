"""`python -m services.ingest`: serve until SIGTERM."""

import gc

from services.ingest.app import create_app
from services.ingest.settings import Settings
from shared.http import serve

YOUNG, MIDDLE, OLD = 50_000, 20, 100
"""Thresholds of the collector. A delivery leaves no cycles behind, so looking for them every 700 objects, as Python does unless
told otherwise, cost a tenth of the time and found nothing."""


def main() -> None:
    settings = Settings()
    app = create_app(settings)
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
    serve("ingest", app, settings)


if __name__ == "__main__":
    main()
