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
    everywhere = set.intersection(*({setting.name for setting in settings_of(one)} for one in SERVICES))
    own = {setting.name for setting in settings_of(service)} - everywhere
    assert own
    assert all(name.startswith(f"{service.upper()}_") for name in own)
