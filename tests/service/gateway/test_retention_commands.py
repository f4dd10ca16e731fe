"""`earshot retention` and `earshot freezing`."""

from tests.service.gateway.earshot_command import Earshot
from tests.service.gateway.fake_services import FakeServices


async def test_the_command_shows_and_sets_retention(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("retention", "show", "acme")
    assert (status, output.splitlines()[1].split()) == (0, ["30"])
    assert (await earshot.json("retention", "set", "acme", "--body-days", "7"))["body_days"] == 7
    assert services.requests[-1] == ("PUT /v1/retention", {"body_days": 7, "quarantine_days": None})
    assert (await earshot("retention", "show", "nobody"))[0] == 1


async def test_the_command_shows_and_sets_freezing(earshot: Earshot, services: FakeServices) -> None:
    await earshot.json("tenant", "create", "acme", "--zone", "UTC")
    status, output = await earshot("freezing", "show", "acme")
    assert (status, output.splitlines()[1].split()[:2]) == (0, ["12", "9"])
    assert (await earshot.json("freezing", "set", "acme", "--after-months", "6"))["after_months"] == 6
    assert services.requests[-1] == ("PUT /v1/freezing", {"after_months": 6})
    assert (await earshot.json("freezing", "set", "acme"))["after_months"] is None
    assert (await earshot("freezing", "show", "nobody"))[0] == 1
