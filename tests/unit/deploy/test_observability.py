"""docs/observability.md lists every metric that a service exports; a service exports no other."""

import importlib
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from shared.instruments import registry_of

PAGE = Path(__file__).parents[3] / "docs" / "observability.md"
SERVICES = ("ingest", "sentiment", "metrics", "gateway")
SHARED = re.compile(r"earshot_(http|kafka|database)_")
ROW = re.compile(r"\| `(earshot_\w+)` \| (\w+) \|[^|]*\| ([^|]+) \| [^|]+ \|")


def exported(service: str) -> dict[str, str]:
    """Name → type of the metrics in a service's FAMILIES."""
    registry = CollectorRegistry()
    for family in importlib.import_module(f"services.{service}.instruments").FAMILIES:
        registry.register(family)
    return {family.name + ("_total" if family.type == "counter" else ""): family.type for family in registry.collect()}


def documented(service: str) -> dict[str, str]:
    """Name → type of the metrics that the page lists for a service."""
    rows = ROW.findall(PAGE.read_text())
    return {name: kind for name, kind, services in rows if services == "all" or service in services.split(", ")}


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_lists_the_metrics_of_a_service(service: str) -> None:
    assert exported(service) == documented(service)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_exports_no_metrics_of_another(service: str) -> None:
    assert [name for name in exported(service) if not SHARED.match(name) and f"_{service}_" not in name] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_exports_no_times_of_creation(service: str) -> None:
    families = importlib.import_module(f"services.{service}.instruments").FAMILIES
    assert "_created" not in generate_latest(registry_of(families)).decode()
