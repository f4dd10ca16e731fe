"""`kubectl apply -k` after a change of settings: servers are replaced, and no Job is changed, which Kubernetes refuses."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.k8s.kubectl import render
from tests.unit.deploy.manifests import HOME, OVERLAYS, SERVICES, Manifests, parsed, rendered

CHANGED = {"base/kustomization.yaml": ("SHUTDOWN_PAUSE=5", "SHUTDOWN_PAUSE=6")} | {
    f"base/{service}/kustomization.yaml": ("_HOST=0.0.0.0", "_HOST=127.0.0.1") for service in SERVICES
}
"""File → a setting in it, and its new value."""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the manifests' sources."""
    return Path(shutil.copytree(HOME, tmp_path / "k8s"))


def edit(path: Path, former: str, changed: str) -> None:
    text = path.read_text()
    assert former in text, path
    path.write_text(text.replace(former, changed))


def specs(manifests: Manifests, kind: str) -> dict[str, Any]:
    return {m["metadata"]["name"]: m["spec"] for m in manifests.of(kind)}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_changed_setting_replaces_the_servers_and_changes_no_job(overlay: str, sources: Path) -> None:
    for file, (former, changed) in CHANGED.items():
        edit(sources / file, former, changed)
    before, after = rendered(overlay), parsed(render(sources / overlay))
    assert specs(after, "Job") == specs(before, "Job")
    servers = specs(after, "Deployment")
    assert [name for name, spec in specs(before, "Deployment").items() if servers[name] == spec] == []
