"""Mutation testing of the pure domains: how many small faults, put into the code one at a time, do the unit tests notice?

python -m bench.mutants [ingest sentiment metrics gateway] [--sample 200] [--seed 1] [--survivors]

mutmut makes the mutants and runs, for each, the unit tests that reach the changed function. A random sample of each domain's
mutants is run, in a copy of the tracked files. The report counts killed and all mutants by module.
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
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
SURVIVED = {0, 33}
"""Exit codes by which mutmut records that every test passed, or that no test reaches the function."""
CONFIGURATION = """
[tool.mutmut]
source_paths = ["services", "shared"]
only_mutate = ["services/{service}/domain/*"]
also_copy = ["tests", "deploy", "bench", "docs", "README.md", "services/gateway/contracts"]
pytest_add_cli_args_test_selection = ["tests/unit/{service}"]
"""

ExitCodes = dict[str, int | None]
"""By a mutant's name; None where it was not run."""


def main(services: Sequence[str], sample: int, seed: int, survivors: bool) -> None:
    killed = total = 0
    for service in services:
        codes = run_sample(service, sample, seed)
        surviving = sorted(name for name, code in codes.items() if code in SURVIVED)
        print_report(service, codes)
        if survivors:
            print(*(f"  survived: {name}" for name in surviving), sep="\n")
        killed, total = killed + len(codes) - len(surviving), total + len(codes)
    print(f"all: {killed} of {total} killed, {100 * killed / total:.1f} %")


def run_sample(service: str, sample: int, seed: int) -> ExitCodes:
    """The exit code of each mutant that was run, at most `sample` of the domain's."""
    with tempfile.TemporaryDirectory(prefix="earshot-mutants-") as folder:
        copy_tracked_files(Path(folder))
        with (Path(folder) / "pyproject.toml").open("a") as configuration:
            configuration.write(CONFIGURATION.format(service=service))
        mutmut(folder, f"services.{service}.domain.no_such_mutant")  # makes all mutants, then finds none of this name
        names = sorted(exit_codes(Path(folder)))
        chosen = random.Random(seed).sample(names, min(sample, len(names)))
        mutmut(folder, *chosen)
        codes = exit_codes(Path(folder))
        if missing := [name for name in chosen if codes[name] is None]:
            sys.exit(f"{service}: mutmut did not run {len(missing)} mutants, among them {missing[0]}")
        return {name: codes[name] for name in chosen}


def copy_tracked_files(target: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def mutmut(folder: str, *names: str) -> None:
    """Run these mutants; what mutmut prints goes to a file beside them."""
    with (Path(folder) / "mutmut.log").open("a") as log:
        workers = str(os.cpu_count() or 1)
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", workers, *names]
        subprocess.run(command, cwd=folder, check=False, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": ""})


def exit_codes(folder: Path) -> ExitCodes:
    codes: ExitCodes = {}
    for results in (folder / "mutants" / "services").rglob("*.meta"):
        codes |= json.loads(results.read_text())["exit_code_by_key"]
    return codes


def print_report(service: str, codes: ExitCodes) -> None:
    modules: dict[str, list[bool]] = defaultdict(list)
    for name, code in codes.items():
        modules[name.rpartition(".")[0]].append(code not in SURVIVED)
    for module, outcomes in sorted(modules.items()):
        print(f"  {module}: {sum(outcomes)} of {len(outcomes)}")
    killed = sum(map(sum, modules.values()))
    print(f"{service}: {killed} of {len(codes)} mutants killed, {100 * killed / len(codes):.1f} %", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("services", nargs="*", default=SERVICES, metavar="service")
    parser.add_argument("--sample", type=int, default=200, help="mutants of each domain")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--survivors", action="store_true", help="list the mutants that no test noticed")
    arguments = parser.parse_args()
    main(arguments.services, arguments.sample, arguments.seed, arguments.survivors)
