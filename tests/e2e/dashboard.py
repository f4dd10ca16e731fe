"""The page in a browser, opened on a connection with four answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.stack import Stack, nps_response, until

TIMEOUT = 60_000
"""Milliseconds."""
ANSWERS = [
    ("billing", 10, "Wonderful, thank you!"),
    ("billing", 9, None),
    ("delivery", 3, "Terrible. I hate waiting."),
    ("delivery", 8, None),
]


@dataclass
class Dashboard:
    """An open page that shows one connection's feedback, and the errors on it."""

    stack: Stack
    connection: dict[str, str]
    page: Page
    errors: list[str] = field(default_factory=list)

    @property
    def scope(self) -> dict[str, str]:
        return {"filter[connection]": self.connection["id"]}

    def watch(self) -> None:
        """Record errors on the console and requests to other hosts."""
        page, own = self.page, (self.stack.gateway_url + "/", "data:", "blob:")
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(own) else self.errors.append(request.url))

    async def open(self, key: str) -> None:
        fragment = urlencode({"key": key, "window": "24h", **self.scope})
        await self.page.goto(f"{self.stack.gateway_url}/#{fragment}")

    async def post(self, value: int, comment: str | None = None, team: str = "billing") -> None:
        record = nps_response(value, comment=comment, dimensions={"team": team})
        answer = await self.stack.post_standard(record, connection=self.connection)
        assert answer.status_code == 202

    async def n(self) -> int:
        return int((await self.stack.row("nps", **self.scope))["n"])

    async def expect_card_to_show_the_value(self, kpi: str) -> None:
        """Wait until the card shows the value that the API serves."""
        card = self.page.locator(f'[data-kpi="{kpi}"]')

        async def same() -> bool:
            row = await self.stack.row(kpi, **self.scope)
            return await card.get_attribute("data-value") == javascript(row["value"])

        await until(same, 60, f"the card of {kpi} showing the API's value")


def javascript(value: float | None) -> str:
    """A number as JavaScript writes it."""
    return "null" if value is None else str(int(value)) if value == int(value) else repr(value)


@asynccontextmanager
async def open_dashboard(stack: Stack, profile: BrowserContext) -> AsyncIterator[Dashboard]:
    """A page opened by a link with the key, on a new connection with four answers. It must end without errors."""
    async with open_tab(profile) as page:
        dashboard = Dashboard(stack, await stack.new_connection("standard"), page)
        for team, value, comment in ANSWERS:
            await dashboard.post(value, comment, team)

        async def counted() -> bool:
            return await dashboard.n() == len(ANSWERS)

        await until(counted, description="the answers counted")
        dashboard.watch()
        await dashboard.open(stack.api_key)
        await expect(dashboard.page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
        yield dashboard
    assert dashboard.errors == []


@asynccontextmanager
async def open_tab(profile: BrowserContext) -> AsyncIterator[Page]:
    """A page. At the end it is closed, and what it stored in the profile is deleted."""
    page = await profile.new_page()
    try:
        yield page
    finally:
        await page.evaluate("localStorage.clear(); sessionStorage.clear()")
        await page.close()
