"""The names by which an import recognises an erased customer."""

from typing import Any

import pytest

from services.ingest.domain.imports.batches import stored_part
from services.ingest.domain.imports.erased import digest_of_name, names_of
from services.ingest.domain.pseudonym import pseudonym_of_email, pseudonym_of_id
from services.ingest.domain.receive import receive_record
from tests.unit.ingest.making import NOW, connection, nps, response

KEY = bytes(32)
ID, ALIAS = pseudonym_of_id(KEY, "c-1"), pseudonym_of_id(KEY, "c-2")
ADDRESS, OTHER = pseudonym_of_email(KEY, "a@example.org"), pseudonym_of_email(KEY, "b@example.org")


@pytest.mark.parametrize(
    ("customer", "names"),
    [
        ({"id": "c-1"}, {(ID, False)}),
        ({"email": "A@example.org"}, {(ADDRESS, False)}),
        ({"id": "c-1", "email": "a@example.org"}, {(ID, False), (ADDRESS, True)}),
        (
            {"id": "c-1", "aliases": [{"id": "c-2"}, {"email": "b@example.org"}]},
            {(ID, False), (ALIAS, False), (OTHER, True)},
        ),
    ],
)
def test_only_an_address_beside_an_id_may_belong_to_somebody_else(customer: dict[str, Any], names: set[tuple[str, bool]]) -> None:
    delivery = receive_record(connection(), response(nps(), customer=customer), "d", b"{}", NOW)
    [statement] = delivery.statements
    assert {(name, is_beside_id) for name, is_beside_id, _ in names_of(statement)} == names
    assert {at.hour for *_, at in names_of(statement)} == {10}


def test_the_key_of_an_erased_name_is_its_tenants_own_and_never_changes() -> None:
    """Keys are stored for good, so this one was made by another program: `printf acme/p-1 | sha256sum`."""
    assert digest_of_name("acme", "p-1").hex() == "8f53c0eec1a099a59b209f15ec04136e24d8828e18131b0747a6eb2695b5bde8"
    assert digest_of_name("acme", "p-1") != digest_of_name("other", "p-1")


def test_no_key_is_spent_on_the_body_of_an_erasure() -> None:
    erasure = {"type": "erasure", "id": "e", "at": "2026-11-20T10:00:00Z", "customer": {"id": "c-1"}}
    assert stored_part(receive_record(connection(), erasure, "d", b"{}", NOW)).raw == b""
    delivery = receive_record(connection(), response(nps()), "d", b"{}", NOW)
    assert stored_part(delivery) is delivery
