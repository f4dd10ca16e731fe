"""`/docs` in a real browser: it renders every operation of the document, and requests nothing from another host."""

from playwright.async_api import BrowserContext, expect

from shared.openapi import operations
from tests.e2e.dashboard import TIMEOUT, open_tab
from tests.e2e.stack import Stack


async def test_the_reference_renders_every_operation_without_a_key_and_without_other_hosts(
    stack: Stack, profile: BrowserContext
) -> None:
    document = (await stack.http.get(f"{stack.gateway_url}/openapi.json")).json()
    errors: list[str] = []
    own = (stack.gateway_url + "/", "data:", "blob:")
    async with open_tab(profile) as page:
        page.set_default_timeout(TIMEOUT)
        page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(own) else errors.append(request.url))
        await page.goto(f"{stack.gateway_url}/docs")
        await expect(page.locator(".opblock")).to_have_count(len(list(operations(document))), timeout=TIMEOUT)
        await page.locator("#operations-kpis-get_kpi .opblock-summary-control").click()
        await expect(page.locator("#operations-kpis-get_kpi .parameters").first).to_be_visible(timeout=TIMEOUT)
        await page.locator("#operations-kpis-get_kpi .try-out__btn").click()
        await expect(page.locator("#operations-kpis-get_kpi .execute")).to_be_visible(timeout=TIMEOUT)
    assert errors == []
