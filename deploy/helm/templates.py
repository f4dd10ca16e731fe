"""The text of the chart's templates, from objects."""

import re
from typing import Any

import yaml

from deploy.helm.sources import Manifest
from deploy.helm.substitutions import BLOCK, INLINE, OPTIONAL, store_of, substitute
from shared.version import VERSION

FIELD = re.compile(rf"^( *)([\w./-]+|\"[^\"]+\"): '?({INLINE}|{BLOCK}|{OPTIONAL})(.*?)'?$")

NAMESPACES = {
    "ingress-nginx": "ingress",
    "envoy-gateway-system": "gatewayApi",
    "keda": "keda",
    "monitoring": "monitoring",
    "cnpg-system": "databaseOperator",
}
"""Namespaces of other programs, which network policies admit → their names in the value `namespaces`."""
TAG = ".Values.image.tag | default .Chart.AppVersion | toString | lower"
JOB_VERSION = f'regexReplaceAll "[^a-z0-9]+" ({TAG}) "-" | trunc 40 | trimAll "-"'
"""The end of a migration Job's name: its images' tag, since Kubernetes refuses another image for a Job that is there."""
TEXTS = {
    "hooks.example.com": "{{ .Values.hosts.hooks }}",
    "earshot.example.com": "{{ .Values.hosts.gateway }}",
    ".earshot.svc": ".{{ .Release.Namespace }}.svc",
    f"-migration-{VERSION.replace('.', '-')}": f"-migration-{{{{ {JOB_VERSION} }}}}",
}
"""Text in any field → expression."""
TEXTS |= {
    f"kubernetes.io/metadata.name: {namespace}\n": f"kubernetes.io/metadata.name: {{{{ .Values.namespaces.{name} }}}}\n"
    for namespace, name in NAMESPACES.items()
}

HOOK = """\
  {{- if .Release.IsUpgrade }}
  annotations:
    helm.sh/hook: pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
  {{- end }}
"""
"""A migration is a part of the installation, and ends before an upgrade replaces anything."""
DESTINATION = re.compile(r"^    to:\n(?:    [- ] .*\n)+", re.MULTILINE)
"""The selector of the pods to which a policy allows connections."""


def template(manifests: list[Manifest]) -> str:
    """The text of a template."""
    return "".join("---\n" + one(manifest) for manifest in manifests)


def switched(text: str, value: str | None) -> str:
    """A text that is left out unless `value` is true; None: it is always in."""
    return f"{{{{- if {value} }}}}\n{text}{{{{- end }}}}\n" if value else text


def one(manifest: Manifest) -> str:
    """An object as a part of a template."""
    labels = manifest["metadata"].get("labels", {})
    labels = {**labels, "helm.sh/chart": "CHART", "app.kubernetes.io/managed-by": "RELEASE-SERVICE"}
    labelled = {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
    quoted = yaml.safe_dump(substitute(escaped(labelled)), sort_keys=False, width=10_000, allow_unicode=True)
    for text, expression in TEXTS.items():
        quoted = quoted.replace(text, expression)
    quoted = quoted.replace("helm.sh/chart: CHART", 'helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}')
    quoted = quoted.replace("managed-by: RELEASE-SERVICE", "managed-by: {{ .Release.Service }}")
    lines = "".join(f"{field(line)}\n" for line in quoted.splitlines())
    if manifest["kind"] == "Job":
        lines = lines.replace("  labels:\n", HOOK + "  labels:\n", 1)
    if manifest["kind"] == "NetworkPolicy" and (destination := DESTINATION.search(lines)) and (store := store_of(manifest)):
        lines = lines.replace(destination[0], switched(destination[0], f".Values.{store.switch}.enabled"))
    return switched(lines, ".Values.certManager.issuer" if manifest["kind"] == "Issuer" else None)


def escaped(value: Any) -> Any:
    """A value whose own braces Helm leaves alone."""
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return value.replace("{{", "{{`{{`}}") if isinstance(value, str) else value


def field(line: str) -> str:
    """A line of YAML, with the expression in place of a marked field."""
    if not (match := FIELD.fullmatch(line)):
        if "HELM-" in line:
            raise ValueError(f"a value must be a whole field that is not the first of a list's item: {line}")
        return line
    indent, key, form, text = match.groups()
    text = text.replace("''", "'")
    if form == INLINE:
        return f"{indent}{key}: {{{{ {text} }}}}"
    if form == BLOCK:
        return f"{indent}{key}: {{{{- toYaml ({text}) | nindent {len(indent) + 2} }}}}"
    present = f'{{{{- if not (kindIs "invalid" {text}) }}}}'
    return f"{indent}{present}\n{indent}{key}: {{{{ toJson {text} }}}}\n{indent}{{{{- end }}}}"
