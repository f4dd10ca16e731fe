"""The committed contracts are those of the services."""

import pytest

from deploy.contracts import CONTRACTS, SERVICES, render


@pytest.mark.parametrize("service", SERVICES)
def test_the_contract_is_up_to_date(service: str) -> None:
    assert (CONTRACTS / f"{service}.json").read_text() == render(service), "run: make docs"
