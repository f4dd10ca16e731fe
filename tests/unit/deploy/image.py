"""The images without a Docker engine: what the Dockerfile copies and what .dockerignore keeps away, read from these files."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "Dockerfile"
SERVICE, DEMO = ("build", "service"), ("build", "service", "demo")
SERVICES = ("ingest", "sentiment", "metrics", "gateway")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of the Dockerfile, in the build stage `section`; the name of the last stage is empty."""

    section: str
    word: str
    arguments: str


def steps(*stages: str) -> list[Step]:
    """The instructions of these stages, or of all: comments gone, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    instructions, section = [], ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        word, _, arguments = line.strip().partition(" ")
        if word == "FROM":
            section = arguments.partition(" AS ")[2]
        if word and (not stages or section in stages):
            instructions.append(Step(section, word, arguments.strip()))
    return instructions


def copied(service: str, *stages: str) -> Iterator[tuple[str, str]]:
    """(source in the project, destination in the image) of everything that these stages take from the build context."""
    for step in steps(*stages):
        if step.word in ("COPY", "ADD") and not step.arguments.startswith("--from="):
            *sources, target = step.arguments.replace("${SERVICE}", service).split()
            yield from ((source, target) for source in sources)


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps `path` away: the last pattern that matches it, or a folder above it, decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    verdict = False
    for rule in rules:
        if _covers(rule.removeprefix("!"), path):
            verdict = not rule.startswith("!")
    return verdict


def build(service: str, root: Path, *stages: str, bytecode: bool = False) -> Path:
    """Lay the files of `service`'s image below `root` as these stages do; the working directory of the image.

    `bytecode`: with the compiled modules of the project's folders, which .dockerignore keeps away. Python starts faster.
    """
    for source, target in copied(service, *stages):
        place, origin = root / target.lstrip("/"), ROOT / source
        if origin.is_dir():
            shutil.copytree(origin, place, ignore=_unwanted_sources if bytecode else _unwanted, copy_function=_link)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, place)
    (folder,) = (step.arguments for step in steps() if step.word == "WORKDIR")
    return root / folder.lstrip("/")


def _link(source: str, target: str) -> None:
    """Link a file, since models are large; copy it if the folders are on two file systems."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _unwanted(folder: str, names: list[str]) -> list[str]:
    inside = PurePosixPath(Path(folder).relative_to(ROOT))
    return [name for name in names if ignored(str(inside / name))]


def _unwanted_sources(folder: str, names: list[str]) -> list[str]:
    return [] if Path(folder).name == "__pycache__" else [name for name in _unwanted(folder, names) if name != "__pycache__"]


def _covers(pattern: str, path: str) -> bool:
    parts = PurePosixPath(path).parts
    name = pattern.removeprefix("**/")
    if pattern.startswith("**/"):
        return any(fnmatch(part, name) for part in parts)
    steps = PurePosixPath(pattern).parts
    return len(steps) <= len(parts) and all(fnmatch(part, step) for part, step in zip(parts, steps, strict=False))
