"""The page of the presets lists the differences that the code makes."""

from deploy.presets_page import PAGE, page


def test_the_committed_page_is_generated_from_the_table_of_presets() -> None:
    assert PAGE.read_text() == page(), "run: make docs"
