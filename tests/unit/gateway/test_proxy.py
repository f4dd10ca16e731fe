"""Which proxied requests are cancelled when their client disconnects."""

from services.gateway.api.proxy import PROXIED_ROUTES


def test_requests_that_store_data_outlive_their_client_and_scoring_does_not() -> None:
    stored = {(route.method, route.path) for route in PROXIED_ROUTES if route.stores}
    assert ("POST", "/v1/feedback:batch") in stored
    assert ("POST", "/v1/score") not in stored
    assert not [method for method, _ in stored if method == "GET"]
