"""Calls of kubectl for one namespace."""

import json
import os
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("client_script.py")
Manifest = dict[str, Any]


class KubectlFailed(Exception):
    """A command of kubectl failed; the text is its error."""


def command() -> list[str]:
    """kubectl as the variable KUBECTL names it: a program, or one with arguments."""
    return shlex.split(os.environ.get("KUBECTL") or "kubectl")


def kubectl(*arguments: str, stdin: str | None = None, seconds: float = 120) -> str:
    """The output of a command. Raises KubectlFailed if it fails or takes longer."""
    try:
        done = subprocess.run([*command(), *arguments], input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise KubectlFailed(f"kubectl {shlex.join(arguments)}: not done after {seconds} s") from error
    if done.returncode:
        raise KubectlFailed(f"kubectl {shlex.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@dataclass(frozen=True)
class Namespace:
    """A namespace of the cluster."""

    name: str

    def run(self, *arguments: str, stdin: str | None = None, seconds: float = 120) -> str:
        """The output of a command in this namespace."""
        return kubectl("--namespace", self.name, *arguments, stdin=stdin, seconds=seconds)

    def apply(self, manifests: Sequence[Manifest], selector: str = "") -> str:
        """Apply manifests; with `selector` only those with these labels."""
        chosen = ["--selector", selector] if selector else []
        return self.run("apply", "--filename", "-", *chosen, stdin=stream(manifests))

    def create(self, manifests: Sequence[Manifest]) -> str:
        """Create objects, which must not exist."""
        return self.run("create", "--filename", "-", stdin=stream(manifests))

    def items(self, kind: str, selector: str = "") -> list[Manifest]:
        """The objects of a kind."""
        chosen = ["--selector", selector] if selector else []
        return list(json.loads(self.run("get", kind, *chosen, "--output", "json"))["items"])

    def wait(self, condition: str, *objects: str, seconds: int = 300) -> float:
        """Wait for a condition of objects. Returns the seconds. Raises KubectlFailed with the state of all pods."""
        return self._timed(f"--timeout={seconds}s", "wait", f"--for={condition}", *objects, seconds=seconds)

    def rolled_out(self, *deployments: str, seconds: int = 300) -> float:
        """Wait until all replicas of Deployments are new and available. Returns the seconds, as `wait` does."""
        return sum(
            self._timed(f"--timeout={seconds}s", "rollout", "status", f"deployment/{name}", seconds=seconds)
            for name in deployments
        )

    def _timed(self, limit: str, *arguments: str, seconds: int) -> float:
        started = time.monotonic()
        try:
            self.run(*arguments, limit, seconds=seconds + 30)
        except KubectlFailed as error:
            raise KubectlFailed(f"{error}\n{self.run('get', 'pods,jobs', '--output', 'wide')}\n{self.warnings()}") from error
        return time.monotonic() - started

    def warnings(self) -> str:
        """The last warnings of the cluster about objects of this namespace."""
        lines = self.run("get", "events", "--field-selector", "type=Warning", "--sort-by=.lastTimestamp").splitlines()
        return "\n".join(lines[-10:])

    def script(self, pod: str, *arguments: str, seconds: float = 120) -> Any:
        """The result of client_script.py, run by the Python of a pod."""
        return json.loads(self.run(*script_arguments(pod, arguments), stdin=SCRIPT.read_text(), seconds=seconds))

    def start_script(self, pod: str, *arguments: str) -> "subprocess.Popen[str]":
        """client_script.py, started in a pod; its output is the result as JSON."""
        whole = [*command(), "--namespace", self.name, *script_arguments(pod, arguments)]
        process = subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin
        process.stdin.write(SCRIPT.read_text())
        process.stdin.close()
        process.stdin = None
        return process


def script_arguments(pod: str, arguments: Sequence[str]) -> list[str]:
    """The arguments of kubectl that run a script, its standard input, in a pod."""
    return ["exec", "--stdin", pod, "--", "python", "-", *arguments]


def stream(manifests: Sequence[Mapping[str, Any]]) -> str:
    """Manifests as one JSON list."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
