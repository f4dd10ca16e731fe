"""docs/settings.md says of every setting what the code says."""

import pytest

from deploy.settings_page import PAGE, SERVICES, page, settings_of


def test_the_committed_page_is_generated_from_the_settings() -> None:
    assert PAGE.read_text() == page(), "run `python -m deploy.settings_page`"


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_has_a_description(service: str) -> None:
    assert not [setting.name for setting in settings_of(service) if not setting.meaning]


@pytest.mark.parametrize("service", SERVICES)
def test_a_setting_of_one_service_starts_with_its_name(service: str) -> None:
    others = {setting.name for other in SERVICES if other != service for setting in settings_of(other)}
    own = {setting.name for setting in settings_of(service)} - others
    assert own
    assert all(name.startswith(f"{service.upper()}_") for name in own)


def test_a_setting_of_several_services_is_listed_once() -> None:
    assert page().count("| `DATABASE_SSL_MODE` |") == 1
    assert "## ingest, metrics and gateway" in page()
