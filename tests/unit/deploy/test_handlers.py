"""Handlers declare their parts of a request as parameters, so that a reader and the OpenAPI document know them."""

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from deploy.contracts import SERVICES, app_of

RAW_REQUESTS = {"gateway": {"forward": "it forwards the query, the headers and the body of any route as they came"}}
"""Service → handler that takes a raw request → the reason. Webhooks are no routes of FastAPI, so they aren't checked."""


def takes_raw_request(route: APIRoute) -> bool:
    """Whether the handler itself has a parameter for the whole request. Its dependencies may have one."""
    return bool(route.dependant.request_param_name or route.dependant.http_connection_param_name)


@pytest.mark.parametrize("service", ["gateway", *SERVICES])
def test_a_handler_takes_no_raw_request(service: str) -> None:
    handlers = [one.route for one in iter_route_contexts(app_of(service).routes) if isinstance(one.route, APIRoute)]
    assert len(handlers) > 3, "the health checks and the routes of the service"
    raw = {route.endpoint.__name__ for route in handlers if takes_raw_request(route)}
    assert raw == set(RAW_REQUESTS.get(service, ())), "use or add a dependency (services/*/api/dependencies.py)"
