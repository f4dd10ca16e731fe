"""Mutation testing of the pure domains: how many small faults, put into the code one at a time, do the unit tests notice?

python -m bench.mutants [ingest sentiment metrics gateway] [--sample 200] [--seed 1] [--survivors]

mutmut makes the mutants and runs, for each, the unit tests that reach the changed function. A random sample of each domain's
mutants is run, in a copy of the tracked files. The report counts killed and all mutants by module. Tests with the marker `timing`
do not run: a loaded machine fails them, and mutmut stops when a test fails without a mutant.

Code that runs only while modules are imported is counted apart: it has run before mutmut switches a mutant on.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
NO_TESTS = 33
"""The exit code that mutmut records for a mutant in a function that no test calls."""
SURVIVED = {0, NO_TESTS}
IMPORTED = "called-at-import.json"
"""The file that `pytest_collection_finish` writes."""
FAILURES = "failures.txt"
CONFIGURATION = """
[tool.mutmut]
source_paths = ["services", "shared"]
process_isolation = "forkserver"
only_mutate = ["services/{service}/domain/*"]
also_copy = ["tests", "deploy", "bench", "docs", "README.md", "services/gateway/contracts"]
pytest_add_cli_args_test_selection = ["tests/unit/{service}"]
pytest_add_cli_args = ["-m", "not timing", "--hypothesis-profile=ci", "-p", "bench.mutants"]
"""
"""Each run of pytest has a process of its own (`forkserver`): in one process, a second run fails with a usage error."""

ExitCodes = dict[str, int | None]
"""By a mutant's name; None where it was not run."""


@dataclass(frozen=True, slots=True)
class Result:
    """The exit codes of the mutants that were run, how many were left out, and the changes that no test noticed."""

    codes: ExitCodes
    import_only: int
    diffs: Sequence[str]


def main(services: Sequence[str], sample: int, seed: int, survivors: bool, children: int) -> None:
    killed = total = 0
    for service in services:
        result = run_sample(service, sample, seed, survivors, children)
        killed, total = killed + print_report(service, result), total + len(result.codes)
    print(f"all: {killed} of {total} killed, {percent(killed, total)}")


def run_sample(service: str, sample: int, seed: int, survivors: bool, children: int) -> Result:
    """Run at most `sample` of the domain's mutants. Exits with mutmut's output if the tests fail without a mutant."""
    with tempfile.TemporaryDirectory(prefix="earshot-mutants-") as name:
        folder = Path(name)
        copy_tracked_files(folder)
        with (folder / "pyproject.toml").open("a") as configuration:
            configuration.write(CONFIGURATION.format(service=service))
        # No mutant has this name: mutmut makes all mutants, runs the tests once to learn which call which function, and stops.
        run_mutmut(folder, children, f"services.{service}.domain.no_such_mutant")
        if not (folder / "mutants" / "mutmut-stats.json").exists():
            sys.exit(f"{service}: the tests fail without a mutant\n{failures(folder)}")
        called_at_import = set(json.loads((folder / "mutants" / IMPORTED).read_text()))
        names = sorted(exit_codes(folder))
        chosen = random.Random(seed).sample(names, min(sample, len(names)))
        run_mutmut(folder, children, *chosen)
        codes = exit_codes(folder)
        if missing := [name for name in chosen if codes[name] is None]:
            sys.exit(f"{service}: mutmut did not run {len(missing)} mutants, among them {missing[0]}\n{failures(folder)}")
        run = {name: codes[name] for name in chosen if codes[name] != NO_TESTS or function_of(name) not in called_at_import}
        surviving = [name for name, code in run.items() if code in SURVIVED] if survivors else []
        return Result(run, len(chosen) - len(run), [diff(folder, name) for name in surviving])


def pytest_collection_finish() -> None:
    """Save the functions that were called before the first test; mutmut would count them as called by that test.

    A hook of pytest: mutmut's pytest loads this module as a plugin.
    """
    from mutmut.state import state

    if os.environ.get("MUTANT_UNDER_TEST") == "stats":
        Path(IMPORTED).write_text(json.dumps(sorted(state()._stats)))
        state()._stats.clear()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    save_failure(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    save_failure(report)


def save_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Save a failure without a mutant: mutmut drops the output of such a run."""
    if report.failed and os.environ.get("MUTANT_UNDER_TEST") in ("", "stats"):
        with (ROOT / FAILURES).open("a") as failed:
            failed.write(f"FAILED {report.nodeid}\n{report.longreprtext}\n")


def function_of(mutant: str) -> str:
    return mutant.partition("__mutmut_")[0]


def copy_tracked_files(target: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def run_mutmut(folder: Path, children: int, *names: str) -> None:
    """Run these mutants; mutmut's output goes to `mutmut.log`."""
    with (folder / "mutmut.log").open("w") as log:
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *names]
        subprocess.run(command, cwd=folder, check=False, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": ""})


def failures(folder: Path) -> str:
    """The tests that failed without a mutant, and the end of mutmut's output."""
    failed = "\n".join(path.read_text() for path in (folder / FAILURES, folder / "mutants" / FAILURES) if path.exists())
    log = (folder / "mutmut.log").read_text(errors="replace").splitlines()
    lines = [line for line in log if line and not "\u2800" <= line[0] <= "\u28ff"]  # the frames of mutmut's spinner
    return "\n".join([failed, "mutmut's last lines:", *lines[-40:]])


def diff(folder: Path, mutant: str) -> str:
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def exit_codes(folder: Path) -> ExitCodes:
    codes: ExitCodes = {}
    for results in (folder / "mutants" / "services").rglob("*.meta"):
        codes |= json.loads(results.read_text())["exit_code_by_key"]
    return codes


def print_report(service: str, result: Result) -> int:
    """Print killed and all mutants by module; return how many were killed."""
    modules: dict[str, list[bool]] = defaultdict(list)
    for name, code in result.codes.items():
        modules[name.rpartition(".")[0]].append(code not in SURVIVED)
    for module, outcomes in sorted(modules.items()):
        print(f"  {module}: {sum(outcomes)} of {len(outcomes)}")
    killed, total = sum(map(sum, modules.values())), len(result.codes)
    print(f"{service}: {killed} of {total} mutants killed, {percent(killed, total)}", end="")
    print(f"; {result.import_only} not run, their code runs only at import" if result.import_only else "", flush=True)
    print(*result.diffs, sep="\n", flush=True)
    return killed


def percent(killed: int, total: int) -> str:
    return f"{100 * killed / total:.1f} %" if total else "none run"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", default=SERVICES, metavar="service")
    parser.add_argument("--sample", type=int, default=200, help="mutants of each domain")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--survivors", action="store_true", help="print the changes that no test noticed")
    parser.add_argument("--children", type=int, default=os.cpu_count() or 1, help="mutants that run at once")
    arguments = parser.parse_args()
    main(arguments.services, arguments.sample, arguments.seed, arguments.survivors, arguments.children)
