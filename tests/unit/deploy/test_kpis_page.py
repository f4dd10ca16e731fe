"""The page of definitions is what the code computes by."""

from deploy.kpis_page import PAGE, page


def test_the_committed_page_is_generated_from_the_table_of_kpis() -> None:
    assert PAGE.read_text() == page(), "run: make docs"
