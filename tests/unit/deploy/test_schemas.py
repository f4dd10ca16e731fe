"""Every rendered object against a strict schema: Kubernetes' own, and ours for the kinds that the operators bring."""

from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from tests.unit.deploy.custom_resources import SCHEMAS
from tests.unit.deploy.manifests import ALL, OVERLAYS, rendered

OLDEST, NEWEST = "1.34", "1.37"


def custom(manifest: dict[str, Any]) -> bool:
    return (manifest["apiVersion"], manifest["kind"]) in SCHEMAS


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("kustomization", ALL)
def test_every_object_is_valid_in_strict_mode(kustomization: str, version: str) -> None:
    checked = [m for m in rendered(kustomization) if not custom(m)]
    for manifest in checked:
        assert kubernetes_validate.validate(manifest, version, strict=True) == version
    assert len(checked) >= 30


@pytest.mark.parametrize("kustomization", OVERLAYS)
def test_every_custom_resource_has_the_documented_form(kustomization: str) -> None:
    for manifest in filter(custom, rendered(kustomization)):
        jsonschema.validate(manifest, SCHEMAS[manifest["apiVersion"], manifest["kind"]])


def test_production_uses_only_these_custom_resources() -> None:
    assert {(m["apiVersion"], m["kind"]) for m in filter(custom, rendered("overlays/production"))} == set(SCHEMAS)


def test_a_misspelt_field_is_found() -> None:
    deployment = dict(rendered("base").one("Deployment", "ingest"))
    deployment["spec"] = deployment["spec"] | {"minReadySecond": 5}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, NEWEST, strict=True)

    topic = dict(rendered("overlays/dev").one("KafkaTopic", "feedback.events"))
    topic["spec"] = topic["spec"] | {"partition": 6}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(topic, SCHEMAS[topic["apiVersion"], topic["kind"]])


@pytest.mark.parametrize("kustomization", ALL)
def test_no_two_objects_share_a_name(kustomization: str) -> None:
    names = [(m["apiVersion"], m["kind"], m["metadata"]["name"]) for m in rendered(kustomization)]
    assert len(names) == len(set(names))
