"""`python -m deploy.images` (`make images`): build the images of the four services by docker, podman or buildah, and push them.

make images                                                          earshot/ingest:0.1.0 and so on
make images IMAGES=registry.example.com/earshot TAG=2026-11-29 PUSH=1
make images BUILDER=podman BUILD_OPTIONS='--network host'
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from shared.version import VERSION

ROOT = Path(__file__).parents[1]
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
BUILDERS = {"docker": ("build",), "podman": ("build",), "buildah": ("build", "--layers")}
"""Builder → its command that builds an image, in the order in which they are tried."""


class Failed(Exception):
    """No builder works, or a command of it failed."""


def works(builder: str) -> bool:
    """Whether the program is installed and can build: docker also needs its daemon."""
    if not shutil.which(builder):
        return False
    return subprocess.run([builder, "info"], capture_output=True, check=False).returncode == 0


def choose_builder() -> str:
    """The first of BUILDERS that works. Raises Failed if there is none."""
    for builder in BUILDERS:
        if works(builder):
            return builder
    raise Failed(f"no builder of images works on this machine; install and start one of {', '.join(BUILDERS)}")


def reference(repository: str, service: str, tag: str) -> str:
    """The name of a service's image: `registry.example.com/earshot/ingest:0.1.0`."""
    return f"{repository.rstrip('/')}/{service}:{tag}"


def run(*command: str) -> None:
    """Run a command in the root of the project. Raises Failed with its command line if it fails."""
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failed(f"failed: {shlex.join(command)}")


def build(builder: str, service: str, image: str, options: Sequence[str]) -> None:
    """Build the image of a service by the Dockerfile. `options` are passed to the builder. Raises Failed."""
    print(f"--- {image} by {builder}", flush=True)
    started = time.monotonic()
    run(builder, *BUILDERS[builder], "--build-arg", f"SERVICE={service}", "--tag", image, *options, ".")
    print(f"--- {image}: {time.monotonic() - started:.0f} s", flush=True)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of the command line. An empty value counts as none, since make passes empty variables."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description="Build the images of the four services.")
    parser.add_argument("--repository", default="", help="registry and folder of the images (default: earshot)")
    parser.add_argument("--tag", default="", help=f"their tag (default: {VERSION})")
    parser.add_argument("--builder", default="", choices=["", *BUILDERS], help="default: the first that works")
    parser.add_argument("--options", default="", help="further options of the builder's build command, in one argument")
    parser.add_argument("--push", default="", choices=["", "0", "1"], help="1: push the images after all are built")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Build the images, and push them if so requested. Returns the exit status."""
    options = parse_arguments(arguments)
    images = {name: reference(options.repository or "earshot", name, options.tag or VERSION) for name in SERVICES}
    try:
        builder = options.builder or choose_builder()
        for service, image in images.items():
            build(builder, service, image, shlex.split(options.options))
        for image in images.values() if options.push == "1" else ():
            run(builder, "push", image)
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
