"""`python -m services.ingest`: serve until SIGTERM, in as many processes as the settings say."""

import sys

from services.ingest.settings import Settings
from shared.server_group import ServerGroup, member_of
from shared.startup import read_settings

SWITCH_SECONDS = 0.001
"""Time after which a thread that reads a costly body yields to the event loop (Python's default: 5 ms). Answering a webhook takes
several rounds of the loop: with 1 ms it took 40 % less time beside a costly batch."""


def main() -> None:
    """Serve until SIGTERM."""
    settings, member = read_settings("ingest", Settings), member_of(sys.argv[1:])
    if settings.processes > 1 and member is None:
        sys.exit(ServerGroup("services.ingest", settings, settings.processes).run())
    from services.ingest.app import create_app  # the supervisor of several processes needs none of it
    from shared.http import serve

    sys.setswitchinterval(SWITCH_SECONDS)
    serve(create_app(settings, import_process=True), settings, member=member)


if __name__ == "__main__":
    main()
