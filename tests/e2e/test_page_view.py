"""The page's appearance and state in a real browser: theme, address, badge, and accessibility by axe-core."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.dashboard import TIMEOUT, open_tab
from tests.e2e.stack import Stack, nps_response, until

RULES = {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}}
"""Rules of axe-core that are off by default."""
CHOSEN_THEME = "document.documentElement.dataset.theme"


@pytest.fixture(scope="module")
async def connection(stack: Stack) -> str:
    """The id of a connection with a comment and a rating."""
    connection = await stack.new_connection("standard")
    for value, comment in ((10, "Wonderful, thank you!"), (3, None)):
        record = nps_response(value, comment=comment, dimensions={"team": "billing"})
        await stack.post_standard(record, connection=connection)
    scope = {"filter[connection]": connection["id"]}

    async def counted() -> bool:
        comments = await stack.get("/v1/kpis/sentiment/records", window="24h", **scope)
        return (await stack.row("nps", **scope))["n"] == 2 and comments.json()["records"] != []

    await until(counted, description="the answers counted")
    return connection["id"]


@pytest.fixture
async def page(profile: BrowserContext) -> AsyncIterator[Page]:
    async with open_tab(profile) as page:
        await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        yield page


async def open_page(page: Page, stack: Stack, fragment: str = "") -> None:
    await page.goto(f"{stack.gateway_url}/#key={stack.api_key}&{fragment}")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)


async def test_the_theme_is_the_system_s_until_one_is_chosen(page: Page, stack: Stack) -> None:
    await page.emulate_media(color_scheme="light")
    await open_page(page, stack)
    assert await page.evaluate(CHOSEN_THEME) == "light"
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Switch between dark and light").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "light")
    await page.reload()
    assert await page.evaluate(CHOSEN_THEME) == "light"
    await page.emulate_media(color_scheme="light")
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(CHOSEN_THEME) == "light"


CORRECTED = {"window=45y&kpi=csat": "#kpi=csat", "window=7d&grain=P9Y": "#window=7d", "window=30d": "", "colour=blue": ""}


async def test_settings_that_do_not_exist_are_removed_from_the_address(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    for fragment, expected in CORRECTED.items():
        await page.goto(f"{stack.gateway_url}/#{fragment}")
        await page.wait_for_function("expected => location.hash === expected", arg=expected, timeout=TIMEOUT)


async def test_the_badge_is_not_live_while_the_browser_is_offline(page: Page, stack: Stack) -> None:
    await open_page(page, stack)
    badge = page.locator("#connection")
    await page.context.set_offline(True)
    await expect(badge).not_to_have_text("Live", timeout=2_000)
    await page.context.set_offline(False)
    await expect(badge).to_have_text("Live", timeout=TIMEOUT)


async def test_the_definition_shows_how_the_value_comes_about(page: Page, stack: Stack, connection: str) -> None:
    await open_page(page, stack, f"window=24h&filter[connection]={connection}")
    definition = page.locator("#definition")
    await page.get_by_role("button", name="Definition of Net Promoter Score").click(timeout=TIMEOUT)
    await expect(definition).to_contain_text("100 · (1 − 1) / 2 = 0.0", timeout=TIMEOUT)
    await expect(definition).to_contain_text("0.0, from 2 responses, reviews and tickets: equal")
    assert await violations(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(1600, "dark"), (1200, "light"), (400, "dark")])
async def test_axe_has_no_complaint(page: Page, stack: Stack, connection: str, width: int, scheme: Any) -> None:
    await page.set_viewport_size({"width": width, "height": 1000})
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await page.goto(stack.gateway_url)
    await expect(page.get_by_label("API key")).to_be_visible(timeout=TIMEOUT)
    assert await violations(page) == []
    await open_page(page, stack, f"window=24h&filter[connection]={connection}&filter[team]=billing")
    await expect(page.locator(".comment")).to_have_count(1, timeout=TIMEOUT)
    await expect(page.locator("#trend-chart .main-svg").first).to_be_visible(timeout=TIMEOUT)
    assert await violations(page) == []
    await page.locator('[data-kpi="nps"] .n').click()
    await expect(page.locator("#records-body tbody tr")).to_have_count(2, timeout=TIMEOUT)
    assert await violations(page) == []


async def test_axe_has_no_complaint_about_a_feed_without_comments(page: Page, stack: Stack) -> None:
    await open_page(page, stack, "window=24h&filter[team]=nobody")
    await expect(page.locator("#feed .placeholder")).to_be_visible(timeout=TIMEOUT)
    assert await violations(page) == []


async def violations(page: Page) -> list[str]:
    """The rules that axe-core finds broken, with the elements."""
    results = await Axe().run(page, options={"rules": RULES})
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in results.response["violations"]]
