"""The keys of the page in a real browser: signing in, and the key of a link."""

import asyncio

from playwright.async_api import Browser, Route, expect

from tests.e2e.dashboard import TIMEOUT, Dashboard
from tests.e2e.stack import Stack


async def test_a_wrong_key_shows_an_error_and_the_right_one_opens_the_page(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{stack.gateway_url}/#key=esk_wrong")
    await expect(page.get_by_role("alert")).to_have_text("That key is not valid, or no longer.", timeout=TIMEOUT)
    await page.get_by_label("API key").fill(stack.api_key)
    await page.get_by_role("button", name="Open the dashboard").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await page.context.close()


async def test_a_link_does_not_replace_the_key_without_confirmation(dashboard: Dashboard) -> None:
    page, stack = dashboard.page, dashboard.stack
    saved = "localStorage.getItem('earshot.key')"
    await dashboard.open(stack.admin_key)
    question = page.get_by_role("dialog", name="Use another key?")
    await expect(question).to_contain_text(stack.admin_key[:10], timeout=TIMEOUT)
    assert stack.admin_key not in await page.content()
    assert "key" not in page.url
    await question.get_by_role("button", name="Keep my key").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
    assert await page.evaluate(saved) == stack.api_key
    await dashboard.open(stack.admin_key)
    await expect(question).to_be_visible(timeout=TIMEOUT)
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert await page.evaluate(saved) == stack.api_key
    await dashboard.open(stack.admin_key)
    await question.get_by_role("button", name="Use the key of the link").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
    assert await page.evaluate(saved) == stack.admin_key


async def test_nothing_of_a_replaced_key_is_shown_while_the_board_of_the_other_loads(dashboard: Dashboard) -> None:
    page, loaded = dashboard.page, asyncio.Event()
    await expect(page.locator(".comment")).to_have_count(2, timeout=TIMEOUT)
    await dashboard.expect_card_to_show_the_value("nps")

    async def delay(route: Route) -> None:
        await loaded.wait()
        await route.continue_()

    await page.route("**/v1/kpis", delay)
    await dashboard.open(dashboard.stack.admin_key)
    async with page.expect_request("**/v1/kpis", timeout=TIMEOUT):
        await page.get_by_role("button", name="Use the key of the link").click(timeout=TIMEOUT)
    await expect(page.locator("#app")).to_be_hidden()
    await expect(page.locator(".comment")).to_have_count(0)
    await expect(page.locator("#breakdown-body")).to_be_empty()
    loaded.set()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
    await expect(page.locator(".comment")).to_have_count(2, timeout=TIMEOUT)
