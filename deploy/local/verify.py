"""`make verify`: run the verification of metrics in the environment of the running stack on DATA."""

import os
import sys

from deploy.local.environment import read_environment
from deploy.local.settings import Settings


def main() -> None:
    """Run `services.metrics.verify` with the environment of the local stack."""
    settings = Settings()
    if not settings.demo_file.exists():
        sys.exit(f"No stack is ready on {settings.folder}: run `make run` with the same DATA first.")
    environment = os.environ | read_environment(settings.environment_file)
    os.execve(sys.executable, [sys.executable, "-m", "services.metrics.verify", *sys.argv[1:]], environment)  # noqa: S606


if __name__ == "__main__":
    main()
