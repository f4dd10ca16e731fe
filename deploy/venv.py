"""`python3 deploy/venv.py`: make the virtual environment `.venv` with the locked packages. Called by make; needs only Python.

Prints a line for each step with its time and size. The output of pip and uv is in `.venv/setup.log`.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / ".venv"
LOG = VENV / "setup.log"
PYTHON = VENV / "bin" / "python"
DEV, UV = ROOT / "requirements" / "dev.txt", ROOT / "requirements" / "uv.txt"

PIN = re.compile(r"^[a-z0-9][a-z0-9._-]*==", re.MULTILINE)
TAIL_LINES = 15
STILL_SECONDS = 20.0
"""Without a terminal, a line says how long a step has taken, each time this long has passed."""


class Failed(Exception):
    """A step failed; the log says why."""


def main() -> int:
    """Make the environment. Returns the exit status."""
    print(f"Setting up .venv with Python {sys.version.split()[0]} (at first, and after a change of packages)", flush=True)
    try:
        if not is_made_by(sys.version):
            with step("create the environment"):
                run([sys.executable, "-m", "venv", VENV], Path("/dev/null"), advice="on Debian: apt-get install python3-venv")
        with step("install uv"):
            run([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes", "-r", UV], LOG)
        packages = len(PIN.findall(DEV.read_text()))
        with step(f"download and install the packages of {DEV.relative_to(ROOT)} (up to {packages})"):
            uv: list[str | Path] = [VENV / "bin" / "uv", "pip"]
            run([*uv, "sync", "--compile-bytecode", "--python", PYTHON, "--require-hashes", DEV], LOG)
            run([*uv, "install", "--python", PYTHON, "--no-deps", "--no-build-isolation", "--editable", ROOT], LOG)
    except Failed as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def is_made_by(version: str) -> bool:
    """Whether there is an environment of this version of Python already."""
    try:
        program = "import pip, sys; print(sys.version)"
        result = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return result.stdout.strip() == version.strip()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Print a step before, and its time and the size of the environment after."""
    began = time.monotonic()
    print(f"  … {text}", flush=True)
    yield
    print(f"  ✓ {time.monotonic() - began:.0f} s, .venv has {megabytes(VENV)} MB", flush=True)


def run(command: Sequence[str | Path], log: Path, folder: Path = ROOT, advice: str = "") -> None:
    """Run a command in `folder` with its output in `log`. Raises Failed with the end of the log and `advice`."""
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        while (status := wait(process, STILL_SECONDS)) is None:
            print(f"    {time.monotonic() - began:.0f} s, .venv has {megabytes(VENV)} MB", flush=True)
    if status:
        end = log.read_text(errors="replace").splitlines()[-TAIL_LINES:] if log.is_file() else []
        name = " ".join(map(str, command[:4]))
        raise Failed("\n".join([*end, f"{name} … failed{f'; {advice}' if advice else f'; the whole output is in {log}'}"]))


def wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """The exit status; None if the process still runs after `seconds`."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def megabytes(folder: Path) -> int:
    """The size of all files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
