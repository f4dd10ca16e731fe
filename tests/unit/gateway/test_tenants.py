import pytest

from services.gateway.domain.tenants import Tenant, validate


def test_a_valid_tenant_has_no_errors() -> None:
    assert validate(Tenant("acme-1", "Ácme & Søns", "Europe/Berlin")) == []


@pytest.mark.parametrize(
    ("tenant", "fault"),
    [
        (Tenant("", "n", "UTC"), "id"),
        (Tenant("Acme", "n", "UTC"), "id"),
        (Tenant("a/b", "n", "UTC"), "id"),
        (Tenant("a" * 41, "n", "UTC"), "id"),
        (Tenant("a", " ", "UTC"), "name"),
        (Tenant("a", "n\0", "UTC"), "name"),
        (Tenant("a", "n", ""), "zone"),
        (Tenant("a", "n", "Mars/Olympus"), "zone"),
        (Tenant("a", "n", "../../etc/passwd"), "zone"),
        (Tenant("a", "n", "Europe"), "zone"),
    ],
)
def test_an_error_names_its_field(tenant: Tenant, fault: str) -> None:
    assert [f.split(":")[0] for f in validate(tenant)] == [fault]
