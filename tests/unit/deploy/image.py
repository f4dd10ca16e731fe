"""The images without a Docker engine: what the Dockerfile copies and what .dockerignore keeps away, read from these files."""

import re
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "Dockerfile"
SERVICES = ("ingest", "sentiment", "metrics", "gateway")


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of each step, comments gone and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = (line.strip() for line in re.sub(r"\\\n", " ", text).splitlines())
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]


def copied(service: str) -> Iterator[tuple[str, str]]:
    """(source in the project, destination in the image) of everything that comes from the build context."""
    for instruction, arguments in instructions():
        if instruction in ("COPY", "ADD") and not arguments.startswith("--from="):
            *sources, target = arguments.replace("${SERVICE}", service).split()
            yield from ((source, target) for source in sources)


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path` away: the last pattern that matches it, or a folder above it, decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    verdict = False
    for rule in rules:
        if _covers(rule.removeprefix("!"), path):
            verdict = not rule.startswith("!")
    return verdict


def build(service: str, root: Path) -> Path:
    """Lay the files of `service`'s image below `root` as the Dockerfile does; the working directory of the image."""
    for source, target in copied(service):
        place, origin = root / target.lstrip("/"), ROOT / source
        if origin.is_dir():
            shutil.copytree(origin, place, ignore=_unwanted)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, place)
    ((_, folder),) = (step for step in instructions() if step[0] == "WORKDIR")
    return root / folder.lstrip("/")


def _unwanted(folder: str, names: list[str]) -> list[str]:
    inside = PurePosixPath(Path(folder).relative_to(ROOT))
    return [name for name in names if ignored(str(inside / name))]


def _covers(pattern: str, path: str) -> bool:
    parts = PurePosixPath(path).parts
    wanted = pattern.removeprefix("**/")
    if pattern.startswith("**/"):
        return any(fnmatch(part, wanted) for part in parts)
    steps = PurePosixPath(pattern).parts
    return len(steps) <= len(parts) and all(fnmatch(part, step) for part, step in zip(parts, steps, strict=False))
