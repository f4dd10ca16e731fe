"""`python -m deploy.helm`: write the chart's templates and its version; `make docs` runs it."""

from pathlib import Path

from deploy.helm.sources import ADDED, KAFKA_TLS, Manifest, added_by, file_of, objects
from deploy.helm.templates import switched, template
from deploy.helm.variants import template_of_both
from shared.version import VERSION

CHART = Path(__file__).parent / "earshot"
TEMPLATES = CHART / "templates"
HEADER = "{{- /* Written by `python -m deploy.helm` from deploy/k8s; a test compares them. Don't edit. */}}\n"
SWITCHES = {
    "kafka": ".Values.strimzi.enabled",
    "databases": ".Values.databases.enabled",
    "keda": ".Values.keda.enabled",
    "autoscaling": ".Values.autoscaling.enabled",
    "ingress": ".Values.ingress.enabled",
    "prometheus-access": ".Values.prometheusAccess.enabled",
    "gateway-api": ".Values.gatewayApi.enabled",
    "cert-manager": ".Values.certManager.enabled",
    "external-secrets": ".Values.externalSecrets.enabled",
    "monitoring": ".Values.monitoring.enabled",
    "backup": ".Values.backup.enabled",
    "opentelemetry": ".Values.openTelemetry.enabled",
}
"""Template → the value that switches it on; the others are always in."""
KAFKA_TLS_VALUE = ".Values.kafkaTls.enabled"
"""The value that chooses the form of the objects that the components KAFKA_TLS change."""
DESCRIPTION = f"""\
# Written by `python -m deploy.helm`. The chart has the version of Earshot.
apiVersion: v2
name: earshot
description: Earshot turns customer feedback into KPIs
type: application
version: {VERSION}
appVersion: {VERSION}
kubeVersion: ">=1.34.0-0"
"""


def files() -> dict[Path, str]:
    """The content of each written file."""
    production = objects()
    plain, secured = by_file(production), by_file(objects(KAFKA_TLS))
    texts = {name: template_of_both(plain.get(name, []), secured[name], KAFKA_TLS_VALUE) for name in secured}
    texts |= {component: template(added_by(component, production)) for component in ADDED}
    written = {TEMPLATES / f"{name}.yaml": HEADER + switched(text, SWITCHES.get(name)) for name, text in texts.items()}
    return {CHART / "Chart.yaml": DESCRIPTION, **written}


def by_file(manifests: list[Manifest]) -> dict[str, list[Manifest]]:
    """Objects by the template that holds them."""
    groups: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        groups.setdefault(file_of(manifest), []).append(manifest)
    return groups


if __name__ == "__main__":
    TEMPLATES.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text)
