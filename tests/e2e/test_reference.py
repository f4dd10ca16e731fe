"""`/docs` in a real browser: it renders every operation of the document, and requests nothing from another host."""

from playwright.async_api import Browser, expect

from shared.openapi import operations
from tests.e2e.stack import Stack

TIMEOUT = 60_000
"""Milliseconds."""


async def test_the_reference_renders_every_operation_without_a_key_and_without_other_hosts(
    stack: Stack, browser: Browser
) -> None:
    document = (await stack.http.get(f"{stack.gateway_url}/openapi.json")).json()
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    page.set_default_timeout(TIMEOUT)
    errors: list[str] = []
    own = (stack.gateway_url + "/", "data:", "blob:")
    page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(own) else errors.append(request.url))
    try:
        await page.goto(f"{stack.gateway_url}/docs")
        await expect(page.locator(".opblock")).to_have_count(len(list(operations(document))), timeout=TIMEOUT)
        await page.locator("#operations-kpis-get_kpi .opblock-summary-control").click()
        await expect(page.locator("#operations-kpis-get_kpi .parameters").first).to_be_visible(timeout=TIMEOUT)
        await page.locator("#operations-kpis-get_kpi .try-out__btn").click()
        await expect(page.locator("#operations-kpis-get_kpi .execute")).to_be_visible(timeout=TIMEOUT)
    finally:
        await context.close()
    assert errors == []
