"""Pseudonyms are equal for one person and differ between persons and tenants."""

from services.ingest.domain.fields import Customer
from services.ingest.domain.pseudonym import (
    FORMERLY_BARE,
    FormerId,
    former_ids,
    is_address,
    pseudonym,
    pseudonym_of_email,
    pseudonym_of_id,
    text_digest,
)

KEY, OTHER = b"k" * 32, b"o" * 32


def test_a_person_has_one_pseudonym_in_every_record() -> None:
    assert pseudonym(KEY, Customer(id="c-1")) == pseudonym(KEY, Customer(id="c-1", email="a@b.de"))
    assert (
        pseudonym(KEY, Customer(email="A@B.de"))
        == pseudonym(KEY, Customer(email="a@b.DE"))
        == pseudonym_of_email(KEY, " a@b.de ")
    )


def test_composed_and_decomposed_addresses_have_one_pseudonym() -> None:
    assert pseudonym_of_email(KEY, "jürgen@b.de") == pseudonym_of_email(KEY, "jürgen@b.de")


def test_other_people_and_other_tenants_have_other_pseudonyms() -> None:
    names = {
        pseudonym(KEY, Customer(id="c-1")),
        pseudonym(KEY, Customer(id="c-2")),
        pseudonym(OTHER, Customer(id="c-1")),
        pseudonym(KEY, Customer(id="a@b.de")),
        pseudonym(KEY, Customer(email="a@b.de")),
    }
    assert len(names) == 5


def test_pseudonyms_and_digests_are_the_same_in_every_version() -> None:
    """Stored rows are looked up by these values: changing them needs a migration."""
    assert pseudonym(KEY, Customer(id="c-1")) == "ac621e0a5c6356c3328d97ed83c3dab6"
    assert pseudonym_of_email(KEY, "a@b.de") == "cad002162cfec5abfc58f8781c51d8ed"
    assert text_digest(KEY, "Hello Jo") == "cd206347b26292f5"


def test_an_address_has_one_at_sign_and_text_on_both_sides() -> None:
    assert is_address(" a@b ")
    assert not any(map(is_address, ["a@b@c", "@b", "a@", "a b@c", "a"]))


def test_a_pseudonym_does_not_contain_the_id() -> None:
    assert "c-1" not in pseudonym(KEY, Customer(id="c-1"))
    assert len(pseudonym(KEY, Customer(id="c-1"))) == 32


def test_an_id_of_a_tool_has_a_former_form() -> None:
    former = FormerId("zendesk", pseudonym_of_id(KEY, "351"), pseudonym_of_id(KEY, "zendesk:351"))
    assert former_ids(KEY, Customer(id="zendesk:351")) == (former,)
    assert former_ids(KEY, Customer(id="jira:qm:77"))[0].bare == pseudonym_of_id(KEY, "qm:77")


def test_a_bare_id_may_be_one_of_any_tool_that_was_stored_without_a_namespace() -> None:
    several = former_ids(KEY, Customer(id="351"))
    assert tuple(one.provider for one in several) == FORMERLY_BARE
    assert former_ids(KEY, Customer(id="tally:7"))[0].bare == pseudonym_of_id(KEY, "tally:7")


def test_an_address_is_no_id_of_a_tool() -> None:
    assert former_ids(KEY, Customer(email="a@b.de")) == ()
