"""Statements of queries: an order that the recomputation in Python has too does not depend on the database."""

import re

import pytest

from services.metrics.store import query_statements, records


@pytest.mark.parametrize("statement", [query_statements.LATEST, records.LATEST], ids=["counts", "records"])
def test_the_latest_answer_of_a_customer_is_the_same_under_every_collation(statement: str) -> None:
    """Of answers with one time that with the highest name counts, by code point: "B" before "a", unlike in en_US."""
    named = re.findall(r"(?:s\.subject|m\.name)(?: COLLATE \"C\")? DESC", statement)
    assert named == ['s.subject COLLATE "C" DESC', 'm.name COLLATE "C" DESC']
