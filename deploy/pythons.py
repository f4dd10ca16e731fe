"""`python -m deploy.pythons` (`make test-pythons`): run the unit tests with each supported Python that this machine has.

Each version has an environment of its own, `.venv-3.12` and so on, with the locked packages as wheels.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions for which every locked package has a wheel."""


def interpreters() -> Iterator[tuple[str, Path]]:
    """(version, interpreter) of each supported Python: on PATH, or of pyenv."""
    for version in VERSIONS:
        on_path = shutil.which(f"python{version}")
        of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
        for interpreter in (*([Path(on_path)] if on_path else []), *of_pyenv):
            if works(interpreter):
                yield version, interpreter
                break


def works(interpreter: Path) -> bool:
    """Whether the interpreter starts and can make environments; a shim of pyenv may point to no interpreter."""
    check = subprocess.run([interpreter, "-c", "import venv, ctypes, ssl, sqlite3"], capture_output=True, check=False)
    return check.returncode == 0


def install(version: str, interpreter: Path) -> Path:
    """Make the environment of a version. Returns its Python. Raises CalledProcessError if a package has no wheel."""
    folder = ROOT / f".venv-{version}"
    python = folder / "bin" / "python"
    pip: list[str | Path] = [UV, "pip", "--quiet"]
    subprocess.run([UV, "venv", "--quiet", "--allow-existing", "--python", interpreter, folder], check=True)
    lock = ROOT / "requirements" / "dev.txt"
    subprocess.run([*pip, "sync", "--python", python, "--only-binary", ":all:", "--require-hashes", lock], check=True)
    subprocess.run([*pip, "install", "--python", python, "--no-deps", "--no-build-isolation", "--editable", ROOT], check=True)
    return python


def main(arguments: list[str]) -> int:
    """Run the unit tests, or pytest with other `arguments`, with each Python. Returns the exit status."""
    statuses = {}
    for version, interpreter in interpreters():
        print(f"--- Python {version} ({interpreter})", flush=True)
        pytest = ["-m", "pytest", "-p", "no:cacheprovider", *(arguments or ["tests/unit", "-q"])]
        statuses[version] = subprocess.run([install(version, interpreter), *pytest], cwd=ROOT, check=False).returncode
    absent = [version for version in VERSIONS if version not in statuses]
    print("--- " + ", ".join(f"{version}: {'passed' if status == 0 else 'failed'}" for version, status in statuses.items()))
    print(f"--- not on this machine: {', '.join(absent) or 'none'}")
    return max(statuses.values(), default=1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
