"""The page in a real browser, over the real stack: what it shows is what the API serves, and it follows what comes in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import open_browser
from tests.e2e.stack import Stack, nps_response, until
from tests.unit.metrics.test_filters import written

SECONDS = 20_000
HOSTILE = '<img src="/x" onerror="document.title = \'owned\'"> <script>document.title = "owned"</script> & so on'
GIVEN = [
    ("billing", 10, "Wonderful, thank you!"),
    ("billing", 9, None),
    ("delivery", 3, "Terrible. I hate waiting."),
    ("delivery", 8, None),
]


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as browser:
        yield browser


@dataclass
class Board:
    """An open page that shows one connection's feedback, and what went wrong on it."""

    stack: Stack
    connection: dict[str, str]
    page: Page
    faults: list[str] = field(default_factory=list)

    @property
    def scope(self) -> dict[str, str]:
        return {"filter[connection]": self.connection["id"]}

    def watch(self) -> None:
        """Note errors on the console and requests to anywhere else."""
        page, own = self.page, (self.stack.gateway_url + "/", "data:", "blob:")
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(own) else self.faults.append(request.url))

    async def open(self, key: str) -> None:
        said = urlencode({"key": key, "window": "24h", **self.scope})
        await self.page.goto(f"{self.stack.gateway_url}/#{said}")

    async def post(self, value: int, comment: str | None = None, team: str = "billing") -> None:
        record = nps_response(value, comment=comment, dimensions={"team": team})
        answer = await self.stack.post_standard(record, connection=self.connection)
        assert answer.status_code == 202

    async def n(self) -> int:
        return int((await self.stack.row("nps", **self.scope))["n"])

    async def card_shows_what_the_api_serves(self, kpi: str) -> None:
        """Both must settle on the same: the page follows within moments."""
        card = self.page.locator(f'[data-kpi="{kpi}"]')

        async def same() -> bool:
            row = await self.stack.row(kpi, **self.scope)
            return await card.get_attribute("data-value") == javascript(row["value"])

        await until(same, 20, f"the card of {kpi} showing the API's value")


def javascript(value: float | None) -> str:
    """A number as JavaScript writes it."""
    return "null" if value is None else str(int(value)) if value == int(value) else repr(value)


@pytest.fixture
async def board(stack: Stack, browser: Browser) -> AsyncIterator[Board]:
    """A page opened by a link with the key, on a connection of its own that has four answers; no fault may come up on it."""
    context = await browser.new_context(viewport={"width": 1600, "height": 1000}, locale="en-GB")
    board = Board(stack, await stack.new_connection("standard"), await context.new_page())
    for team, value, comment in GIVEN:
        await board.post(value, comment, team)

    async def counted() -> bool:
        return await board.n() == len(GIVEN)

    await until(counted, what="the answers counted")
    board.watch()
    await board.open(stack.api_key)
    await expect(board.page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SECONDS)
    yield board
    await context.close()
    assert board.faults == []


async def test_the_page_opens_by_its_link_and_shows_the_values_of_the_api(board: Board) -> None:
    for kpi in ("nps", "csat", "net_sentiment", "first_reply_time", "backlog", "tickets_opened"):
        await board.card_shows_what_the_api_serves(kpi)
    row = await board.stack.row("nps", **board.scope)
    card = board.page.locator('[data-kpi="nps"]')
    await expect(card.locator(".value")).to_have_text(f"{row['value']:.1f}")
    await expect(card.locator(".n")).to_have_text("4 answers")
    low, high = (f"{row['interval'][end]:.1f}".replace("-", "−") for end in ("low", "high"))
    await expect(card.locator(".interval")).to_have_text(f"{low} to {high}")
    await expect(board.page.locator("#trend-chart .main-svg").first).to_be_visible(timeout=SECONDS)
    assert "key" not in board.page.url


async def test_a_signed_webhook_changes_the_card_and_enters_the_feed_without_a_reload(board: Board) -> None:
    await expect(board.page.locator(".comment")).to_have_count(2, timeout=SECONDS)
    await board.page.evaluate("window.notReloaded = true")
    await board.post(10, "The new release is great, I love it.")
    first = board.page.locator(".comment").first
    await expect(first.locator(".said")).to_have_text("The new release is great, I love it.", timeout=SECONDS)
    await expect(first).to_have_attribute("data-label", "positive")
    await expect(board.page.locator('[data-kpi="nps"] .n')).to_have_text("5 answers", timeout=SECONDS)
    await board.card_shows_what_the_api_serves("nps")
    assert await board.page.evaluate("window.notReloaded")


async def test_a_click_on_a_group_filters_the_page_and_a_second_one_takes_it_back(board: Board) -> None:
    group = board.page.get_by_role("button", name="delivery", exact=True)
    answers = board.page.locator('[data-kpi="nps"] .n')
    await group.click(timeout=SECONDS)
    await expect(answers).to_have_text("2 answers", timeout=SECONDS)
    await expect(board.page.locator(".comment .said")).to_have_text(["Terrible. I hate waiting."], timeout=SECONDS)
    assert "filter%5Bteam%5D=delivery" in board.page.url
    await group.click()
    await expect(answers).to_have_text("4 answers", timeout=SECONDS)


@pytest.mark.parametrize("team", ["Support, EU", "null"])
async def test_a_group_whose_name_needs_an_escape_filters_the_page_too(board: Board, team: str) -> None:
    await board.post(10, "Lovely.", team)
    answers = board.page.locator('[data-kpi="nps"] .n')
    await board.page.get_by_role("button", name=team, exact=True).click(timeout=SECONDS)
    await expect(answers).to_have_text("1 answers", timeout=SECONDS)
    await expect(board.page.locator(".comment .said")).to_have_text(["Lovely."], timeout=SECONDS)
    await expect(board.page.locator(".chip-button", has_text=team)).to_be_visible()


ESCAPED = """async (groups) => {
    const { asFilter, groupsOf } = await import("/static/state.js");
    return groups.map((group) => [asFilter(group), groupsOf(asFilter(group))]);
}"""
GROUPS = ["billing", None, "null", "\\null", "a,b", "!a", "a!b", "a\\", "a\\,b", ",", "!", "\\", "é"]


async def test_the_page_writes_and_reads_filters_as_the_service_does(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    found = await page.evaluate(ESCAPED, GROUPS)
    assert found == [[written(group), [{"group": group, "excluded": False}]] for group in GROUPS]
    await page.context.close()


async def test_the_records_behind_a_number_are_those_that_it_counts(board: Board) -> None:
    await board.page.locator('[data-kpi="nps"] .n').click(timeout=SECONDS)
    await expect(board.page.locator("#records-body tbody tr")).to_have_count(4, timeout=SECONDS)
    values = await board.page.locator("#records-body tbody td.strong").all_text_contents()
    assert sorted(int(value) for value in values) == [3, 8, 9, 10]


async def test_a_label_is_corrected_by_a_key_that_may_and_given_back_to_the_model(board: Board) -> None:
    await until(lambda: scored(board), 20, "both comments scored")
    await board.open(board.stack.admin_key)
    await board.page.get_by_role("button", name="Use the key of the link").click(timeout=SECONDS)
    await board.page.locator('[data-kpi="net_sentiment"] .n').click(timeout=SECONDS)
    comment = board.page.locator("#records-body tbody tr", has_text="Wonderful")
    label = comment.get_by_label("Label of this comment")
    for choice, told, value in (("negative", "negative", -100.0), ("", "positive", 0.0)):
        await label.select_option(choice, timeout=SECONDS)
        await expect(comment.get_by_role("status")).to_have_text("Saved", timeout=SECONDS)
        await expect(comment).to_have_attribute("data-label", told)
        await expect(comment.locator("td.strong")).to_have_text(told)
        await until(lambda value=value: counts(board, value), 20, f"a net sentiment of {value}")


async def scored(board: Board) -> bool:
    return bool((await board.stack.row("net_sentiment", **board.scope))["n"] == 2)


async def counts(board: Board, value: float) -> bool:
    return bool((await board.stack.row("net_sentiment", **board.scope))["value"] == value)


async def test_a_key_that_may_only_read_is_offered_no_correction(board: Board) -> None:
    await board.page.locator('[data-kpi="net_sentiment"] .n').click(timeout=SECONDS)
    await expect(board.page.locator("#records-body tbody tr")).to_have_count(2, timeout=SECONDS)
    assert await board.page.get_by_label("Label of this comment").count() == 0


async def test_markup_in_a_comment_is_shown_as_text(board: Board) -> None:
    await board.post(0, HOSTILE)
    await expect(board.page.locator(".comment .said").first).to_have_text(HOSTILE, timeout=SECONDS)
    assert await board.page.locator(".comment img, .comment script").count() == 0
    assert await board.page.title() == "Earshot"


READ_IN_PIECES = """async ([text, size]) => {
    const { events } = await import("/static/live.js");
    const bytes = new TextEncoder().encode(text);
    const stream = new ReadableStream({ start(pieces) {
        for (let from = 0; from < bytes.length; from += size) pieces.enqueue(bytes.slice(from, from + size));
        pieces.close();
    } });
    const read = [];
    for await (const message of events(stream)) if (message) read.push([message.id, message.event, message.data]);
    return read;
}"""


async def test_a_stream_is_read_alike_however_the_network_cuts_it(stack: Stack, browser: Browser) -> None:
    text = (
        'id: 7-a\nevent: kpi\ndata: {"ü":\ndata: 1}\n\n: ping\n\n\r\ndata:two\r\ndata:lines\r\n\r\nevent: lost\n\ndata: cut off'
    )
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    for size in range(1, len(text)):
        read = await page.evaluate(READ_IN_PIECES, [text, size])
        assert read == [["7-a", "kpi", '{"ü":\n1}'], ["7-a", "message", "two\nlines"]], f"pieces of {size} bytes"
    await page.context.close()


async def test_a_wrong_key_is_told_and_the_right_one_opens_the_page(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(f"{stack.gateway_url}/#key=esk_wrong")
    await expect(page.get_by_role("alert")).to_have_text("That key is not valid, or no longer.", timeout=SECONDS)
    await page.get_by_label("API key").fill(stack.api_key)
    await page.get_by_role("button", name="Open the dashboard").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SECONDS)
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API key")).to_be_visible()
    await page.context.close()


async def test_a_link_replaces_no_key_unasked(board: Board) -> None:
    page, stack = board.page, board.stack
    saved = "localStorage.getItem('earshot.key')"
    await board.open(stack.admin_key)
    question = page.get_by_role("dialog", name="Use another key?")
    await expect(question).to_contain_text(stack.admin_key[:10], timeout=SECONDS)
    assert stack.admin_key not in await page.content()
    assert "key" not in page.url
    await question.get_by_role("button", name="Keep my key").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SECONDS)
    assert await page.evaluate(saved) == stack.api_key
    await board.open(stack.admin_key)
    await expect(question).to_be_visible(timeout=SECONDS)
    await page.keyboard.press("Escape")
    await expect(question).to_be_hidden()
    assert await page.evaluate(saved) == stack.api_key
    await board.open(stack.admin_key)
    await question.get_by_role("button", name="Use the key of the link").click()
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SECONDS)
    assert await page.evaluate(saved) == stack.admin_key


PARSED = """async (fragments) => {
    const { fragment, parse, scope } = await import("/static/state.js");
    return fragments.map((text) => [fragment(parse(text).view), scope(parse(text).view).window]);
}"""
INHERITED = ("constructor", "toString", "__proto__", "hasOwnProperty", "valueOf")


async def test_names_that_every_object_has_are_no_settings_of_a_link(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    fragments = [f"#{name}={value}" for name in ("window", "grain") for value in INHERITED]
    assert await page.evaluate(PARSED, fragments) == [["", "30d"]] * len(fragments)
    kept = await page.evaluate(PARSED, ["#filter[__proto__]=a&filter[constructor]=b&filter[team]=c"])
    assert kept == [["filter%5B__proto__%5D=a&filter%5Bconstructor%5D=b&filter%5Bteam%5D=c", "30d"]]
    await page.goto(f"{stack.gateway_url}/#key={stack.api_key}&window=constructor&kpi=constructor&by=team")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=SECONDS)
    await expect(page.locator("#windows input:checked")).to_have_value("30d")
    await page.context.close()
