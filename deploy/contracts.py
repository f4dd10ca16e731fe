"""`python -m deploy.contracts`: write services/gateway/contracts, the OpenAPI operations that the gateway imports from services.

Each file holds the operations of one service that the gateway exposes, with the schemas that they use. No server is needed.
"""

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from services.gateway.api.openapi import exposed_operations, unnamed
from services.gateway.api.schema_references import reachable
from services.gateway.app import create_app as gateway_app
from services.gateway.settings import Settings as GatewaySettings
from services.ingest.app import create_app as ingest_app
from services.ingest.settings import Settings as IngestSettings
from services.metrics.app import create_app as metrics_app
from services.metrics.settings import Settings as MetricsSettings
from services.sentiment.app import create_app as sentiment_app
from services.sentiment.settings import Settings as SentimentSettings
from shared.openapi import drop_default_422

CONTRACTS = Path(__file__).parents[1] / "services" / "gateway" / "contracts"
SERVICES = ("ingest", "metrics", "sentiment")
URL, TOKEN, SECRET_KEY = "postgresql://nobody@127.0.0.1:1/nothing", 16 * "x", 43 * "A" + "="


def contract(service: str) -> dict[str, Any]:
    """The OpenAPI document of the operations of `service` that the gateway exposes."""
    document = app_of(service).openapi()
    exposed = exposed_operations(app_of("gateway"), service)
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if (method, unnamed(path)) in exposed:
                operation.pop("security", None)
                drop_default_422(operation)
                paths.setdefault(path, {})[method] = operation
    schemas = document.get("components", {}).get("schemas", {})
    used = {name: schemas[name] for name in reachable(paths, schemas)}
    return {"openapi": document["openapi"], "info": document["info"], "paths": paths, "components": {"schemas": used}}


def app_of(service: str) -> FastAPI:
    """The application of a service, which connects to nothing until it is started."""
    match service:
        case "gateway":
            return gateway_app(GatewaySettings(database_url=URL, internal_token=TOKEN))
        case "ingest":
            return ingest_app(IngestSettings(database_url=URL, internal_token=TOKEN, secret_key=SECRET_KEY))
        case "metrics":
            return metrics_app(MetricsSettings(database_url=URL, internal_token=TOKEN))
        case "sentiment":
            return sentiment_app(SentimentSettings(internal_token=TOKEN, scorer="vader"))
    raise ValueError(f"no service {service}")


def render(service: str) -> str:
    """The contract as it is written to its file."""
    return json.dumps(contract(service), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    CONTRACTS.mkdir(exist_ok=True)
    for service in SERVICES:
        (CONTRACTS / f"{service}.json").write_text(render(service))
