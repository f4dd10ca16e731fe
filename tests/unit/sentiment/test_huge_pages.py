"""The sentiment service asks for huge pages: it starts anew once, in the same process and with the same arguments."""

import os
import subprocess
import sys
from pathlib import Path

from services.sentiment.huge_pages import HUGE_PAGES, VARIABLE

PROGRAM = """
import os
import sys

from services.sentiment.huge_pages import restart_with_huge_pages

with open(sys.argv[1], "a") as starts:
    print(os.getpid(), file=starts)
restart_with_huge_pages()
print(os.environ.get("GLIBC_TUNABLES"), sys.argv[2:], sys.flags.utf8_mode)
"""


def run_program(tmp_path: Path, **environment: str) -> tuple[str, list[str]]:
    """The output of PROGRAM, and the process id of each of its starts."""
    program, starts = tmp_path / "program.py", tmp_path / "starts"
    program.write_text(PROGRAM)
    before = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [sys.executable, "-X", "utf8", str(program), str(starts), "a b"]
    done = subprocess.run(
        command, env={**before, "PYTHONPATH": str(Path.cwd()), **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout, starts.read_text().split()


def test_a_process_starts_anew_once_with_huge_pages_and_the_same_arguments(tmp_path: Path) -> None:
    output, starts = run_program(tmp_path)
    linux = sys.platform == "linux"
    assert output == f"{HUGE_PAGES if linux else None} ['a b'] 1\n"
    assert len(starts) == (2 if linux else 1)
    assert len({*starts}) == 1


def test_tunables_of_the_operator_stay(tmp_path: Path) -> None:
    output, starts = run_program(tmp_path, GLIBC_TUNABLES="glibc.malloc.check=0")
    assert output == "glibc.malloc.check=0 ['a b'] 1\n"
    assert len(starts) == 1
