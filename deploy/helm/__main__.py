"""`python -m deploy.helm`: write the chart's templates and its version; `make docs` runs it."""

from pathlib import Path

from deploy.helm.sources import ADDED, added_by, file_of, objects
from deploy.helm.substitutions import template
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
}
"""Template → the value that switches it on; the others are always in."""
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
    groups: dict[str, list[dict[str, object]]] = {}
    for manifest in production:
        groups.setdefault(file_of(manifest), []).append(manifest)
    groups |= {component: added_by(component, production) for component in ADDED}
    texts = {TEMPLATES / f"{name}.yaml": HEADER + template(manifests, SWITCHES.get(name)) for name, manifests in groups.items()}
    return {CHART / "Chart.yaml": DESCRIPTION, **texts}


if __name__ == "__main__":
    TEMPLATES.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text)
