"""The page shows names of teams in place of their ids, offers the tenant's own dimensions, and opens any window."""

from playwright.async_api import BrowserContext, expect

from tests.e2e.dashboard import TIMEOUT, open_tab
from tests.e2e.stack import Stack, nps_response, until


async def test_the_page_shows_names_in_place_of_ids(stack: Stack, profile: BrowserContext) -> None:
    _, key = await stack.new_tenant("names")
    headers = {"authorization": f"Bearer {key}"}
    record = nps_response(9, comment="Wonderful, thank you!", dimensions={"team": "360001"})
    assert (await stack.http.post(f"{stack.gateway_url}/v1/feedback", json=record, headers=headers)).status_code == 202
    names = {"team": {"360001": "Billing"}, "agent": {}, "survey": {}}
    assert (await stack.http.put(f"{stack.gateway_url}/v1/names", json=names, headers=headers)).status_code == 200
    assert (await stack.get("/v1/names", key=key)).json() == names
    dimensions = await stack.http.put(f"{stack.gateway_url}/v1/dimensions", json=[{"name": "plan"}], headers=headers)
    assert dimensions.status_code == 200

    async def is_built() -> bool:
        return (await stack.get("/v1/kpis", key=key)).json()["own_dimensions"] == ["plan"]

    await until(is_built, description="the tenant's own dimension served")
    async with open_tab(profile) as page:
        page.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        await page.goto(f"{stack.gateway_url}/#key={key}&window=14d&by=team&filter[team]=360001")
        await expect(page.locator("#filters .chip-button")).to_contain_text("Billing")
        await expect(page.locator("#breakdown-body .group")).to_have_text("Billing")
        await expect(page.locator("#trend-summary")).to_contain_text("last 14 days")
        await expect(page.locator("#feed-list .origin")).to_contain_text("Billing")
        await page.get_by_role("button", name="Add a filter").click()
        await expect(page.locator("#filter-menu option[value=plan]")).to_be_attached()
