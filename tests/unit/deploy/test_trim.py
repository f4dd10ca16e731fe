"""The images lack the parts of packages that no service uses, and the services work without them."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from shutil import copytree

import pytest

from deploy.docker.trim import UNUSED, size, trim
from tests.unit.deploy.image import DOCKERFILE, ROOT, steps

INSTALLED = Path(sysconfig.get_path("purelib"))
TRIMMED = sorted({pattern.partition("/")[0] for pattern in UNUSED})
USE = """
import sys
import phonenumbers, plotly, pyarrow
from services.gateway.api.page import LIBRARIES, library_path
from services.gateway.api.parquet import parquet_of
from services.gateway.domain.ticket_table import decode_page
from services.ingest.domain.redaction.numbering_plans import is_international

assert all(module.__file__.startswith(sys.argv[1]) for module in (phonenumbers, plotly, pyarrow))
assert is_international("493023125000") and not is_international("4930")
assert all(library_path(name).stat().st_size > 100_000 for name in LIBRARIES)
assert parquet_of(decode_page(b'{"columns": [{"name": "at", "type": "time"}], "tickets": [{"at": "2026-11-28T12:00:00Z"}]}'))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to the files of the packages that are trimmed."""
    folder = tmp_path_factory.mktemp("packages")
    for name in TRIMMED:
        copytree(INSTALLED / name, folder / name, copy_function=os.symlink)
    return folder


def test_services_work_without_the_unused_parts(packages: Path) -> None:
    before = size(packages)
    assert 0 < trim(packages) == before - size(packages)
    environment = {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", USE, packages], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("pattern", UNUSED)
def test_each_unused_part_exists_in_the_locked_version(pattern: str) -> None:
    assert list(INSTALLED.glob(pattern))


def test_an_image_is_trimmed_after_its_packages_are_installed() -> None:
    commands = [step.arguments for step in steps("build") if step.word == "RUN"]
    (install,) = (number for number, command in enumerate(commands) if " install " in command)
    (trimmed,) = (number for number, command in enumerate(commands) if "/tmp/trim.py" in command)
    assert install < trimmed


def test_a_build_needs_no_image_but_pythons() -> None:
    """A `# syntax=` line would fetch the builder's front end from a registry."""
    assert not DOCKERFILE.read_text().startswith("# syntax")
    assert {step.arguments.split()[0] for step in steps() if step.word == "FROM"} == {"${PYTHON_IMAGE}", "service"}
