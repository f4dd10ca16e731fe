"""The page of the ticket export lists the columns that the code makes."""

from deploy.tickets_page import PAGE, page


def test_the_committed_page_is_generated_from_the_table_of_columns() -> None:
    assert PAGE.read_text() == page(), "run: make docs"
