"""The page in a real browser on the real stack: it shows the values of the API and follows new events."""

import asyncio
import json

from playwright.async_api import Browser, Route, expect

from tests.e2e.dashboard import TIMEOUT, Dashboard
from tests.e2e.stack import Stack, until
from tests.unit.metrics.test_queries import written

ESCAPED_TEAMS = {"Support, EU": "Lovely.", "null": "Quick and easy."}
HOSTILE = '<img src="/x" onerror="document.title = \'owned\'"> <script>document.title = "owned"</script> & so on'


async def test_the_page_opens_by_its_link_and_shows_the_values_of_the_api(dashboard: Dashboard) -> None:
    for kpi in ("nps", "csat", "net_sentiment", "first_reply_time", "backlog", "tickets_opened"):
        await dashboard.expect_card_to_show_the_value(kpi)
    row = await dashboard.stack.row("nps", **dashboard.scope)
    card = dashboard.page.locator('[data-kpi="nps"]')
    await expect(card.locator(".value")).to_have_text(f"{row['value']:.1f}")
    await expect(card.locator(".n")).to_have_text("4 answers")
    low, high = (f"{row['interval'][end]:.1f}".replace("-", "−") for end in ("low", "high"))
    await expect(card.locator(".interval")).to_have_text(f"{low} to {high}")
    await expect(dashboard.page.locator("#trend-chart .main-svg").first).to_be_visible(timeout=TIMEOUT)
    assert "key" not in dashboard.page.url


async def test_a_signed_webhook_changes_the_card_and_enters_the_feed_without_a_reload(dashboard: Dashboard) -> None:
    await expect(dashboard.page.locator(".comment")).to_have_count(2, timeout=TIMEOUT)
    await dashboard.page.evaluate("window.notReloaded = true")
    await dashboard.post(10, "The new release is great, I love it.")
    first = dashboard.page.locator(".comment").first
    await expect(first.locator(".comment-text")).to_have_text("The new release is great, I love it.", timeout=TIMEOUT)
    await expect(first).to_have_attribute("data-label", "positive")
    await expect(dashboard.page.locator('[data-kpi="nps"] .n')).to_have_text("5 answers", timeout=TIMEOUT)
    await dashboard.expect_card_to_show_the_value("nps")
    assert await dashboard.page.evaluate("window.notReloaded")


async def test_a_click_on_a_group_filters_the_page_and_a_second_one_removes_the_filter(dashboard: Dashboard) -> None:
    group = dashboard.page.get_by_role("button", name="delivery", exact=True)
    answers = dashboard.page.locator('[data-kpi="nps"] .n')
    await group.click(timeout=TIMEOUT)
    await expect(answers).to_have_text("2 answers", timeout=TIMEOUT)
    await expect(dashboard.page.locator(".comment .comment-text")).to_have_text(["Terrible. I hate waiting."], timeout=TIMEOUT)
    assert "filter%5Bteam%5D=delivery" in dashboard.page.url
    await expect(group).to_have_attribute("aria-pressed", "true", timeout=TIMEOUT)
    await group.click()
    await expect(answers).to_have_text("4 answers", timeout=TIMEOUT)


async def test_a_group_whose_name_needs_an_escape_filters_the_page_too(dashboard: Dashboard) -> None:
    answers = dashboard.page.locator('[data-kpi="nps"] .n')
    for team, text in ESCAPED_TEAMS.items():
        await dashboard.post(10, text, team)
    for team, text in ESCAPED_TEAMS.items():
        group = dashboard.page.get_by_role("button", name=team, exact=True)
        await group.click(timeout=TIMEOUT)
        await expect(answers).to_have_text("1 answer", timeout=TIMEOUT)
        await expect(dashboard.page.locator(".comment .comment-text")).to_have_text([text], timeout=TIMEOUT)
        await expect(dashboard.page.locator(".chip-button", has_text=team)).to_be_visible()
        await group.click()
        await expect(answers).to_have_text("6 answers", timeout=TIMEOUT)


ESCAPED = """async (groups) => {
    const { parseFilter, toFilter } = await import("/static/state.js");
    return groups.map((group) => [toFilter(group), parseFilter(toFilter(group))]);
}"""
GROUPS = ["billing", None, "null", "\\null", "a,b", "!a", "a!b", "a\\", "a\\,b", ",", "!", "\\", "é"]


async def test_the_page_writes_and_reads_filters_as_the_service_does(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    filters = await page.evaluate(ESCAPED, GROUPS)
    assert filters == [[written(group), [{"group": group, "excluded": False}]] for group in GROUPS]
    await page.context.close()


async def test_the_records_behind_a_number_are_those_that_it_counts(dashboard: Dashboard) -> None:
    await dashboard.page.locator('[data-kpi="nps"] .n').click(timeout=TIMEOUT)
    await expect(dashboard.page.locator("#records-body tbody tr")).to_have_count(4, timeout=TIMEOUT)
    values = await dashboard.page.locator("#records-body tbody td.strong").all_text_contents()
    assert sorted(int(value) for value in values) == [3, 8, 9, 10]


async def test_an_admin_key_corrects_a_label_and_removes_the_correction(dashboard: Dashboard) -> None:
    await until(lambda: scored(dashboard), 60, "both comments scored")
    await dashboard.open(dashboard.stack.admin_key)
    await dashboard.page.get_by_role("button", name="Use the key of the link").click(timeout=TIMEOUT)
    await dashboard.page.locator('[data-kpi="net_sentiment"] .n').click(timeout=TIMEOUT)
    comment = dashboard.page.locator("#records-body tbody tr", has_text="Wonderful")
    label = comment.get_by_label("Label of this comment")
    for choice, label_value, value in (("negative", "negative", -100.0), ("", "positive", 0.0)):
        await label.select_option(choice, timeout=TIMEOUT)
        await expect(comment.get_by_role("status")).to_have_text("Saved", timeout=TIMEOUT)
        await expect(comment).to_have_attribute("data-label", label_value)
        await expect(comment.locator("td.strong")).to_have_text(label_value)
        await until(lambda value=value: counts(dashboard, value), 60, f"a net sentiment of {value}")


async def scored(dashboard: Dashboard) -> bool:
    return bool((await dashboard.stack.row("net_sentiment", **dashboard.scope))["n"] == 2)


async def counts(dashboard: Dashboard, value: float) -> bool:
    return bool((await dashboard.stack.row("net_sentiment", **dashboard.scope))["value"] == value)


async def test_a_reading_key_is_not_offered_corrections(dashboard: Dashboard) -> None:
    await dashboard.page.locator('[data-kpi="net_sentiment"] .n').click(timeout=TIMEOUT)
    await expect(dashboard.page.locator("#records-body tbody tr")).to_have_count(2, timeout=TIMEOUT)
    assert await dashboard.page.get_by_label("Label of this comment").count() == 0


async def test_markup_in_a_comment_is_shown_as_text(dashboard: Dashboard) -> None:
    await dashboard.post(0, HOSTILE)
    await expect(dashboard.page.locator(".comment .comment-text").first).to_have_text(HOSTILE, timeout=TIMEOUT)
    assert await dashboard.page.locator(".comment img, .comment script").count() == 0
    assert await dashboard.page.title() == "Earshot"


READ_IN_PIECES = """async ([text, size]) => {
    const { readEvents } = await import("/static/live.js");
    const bytes = new TextEncoder().encode(text);
    const stream = new ReadableStream({ start(pieces) {
        for (let from = 0; from < bytes.length; from += size) pieces.enqueue(bytes.slice(from, from + size));
        pieces.close();
    } });
    const read = [];
    for await (const message of readEvents(stream)) if (message) read.push([message.id, message.event, message.data]);
    return read;
}"""


async def test_a_stream_gives_the_same_events_however_the_network_splits_it(stack: Stack, browser: Browser) -> None:
    text = (
        'id: 7-a\nevent: kpi\ndata: {"ü":\ndata: 1}\n\n: ping\n\n\r\ndata:two\r\ndata:lines\r\n\r\nevent: lost\n\ndata: cut off'
    )
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    for size in range(1, len(text)):
        read = await page.evaluate(READ_IN_PIECES, [text, size])
        assert read == [["7-a", "kpi", '{"ü":\n1}'], ["7-a", "message", "two\nlines"]], f"pieces of {size} bytes"
    await page.context.close()


async def test_a_live_stream_that_is_refused_is_not_opened_again_and_the_page_says_why(stack: Stack, browser: Browser) -> None:
    page, opened = await browser.new_page(), 0

    async def refuse(route: Route) -> None:
        nonlocal opened
        opened += 1
        refusal = {"title": "Bad request", "status": 400, "detail": "the result has more than 131072 bytes"}
        await route.fulfill(status=400, content_type="application/problem+json", body=json.dumps(refusal))

    await page.route("**/v1/live?*", refuse)
    await page.goto(f"{stack.gateway_url}/#key={stack.api_key}")
    connection = page.locator("#connection")
    await expect(connection).to_have_attribute("data-state", "refused", timeout=TIMEOUT)
    await expect(connection).to_have_text("Not live: the result has more than 131072 bytes")
    await asyncio.sleep(3)  # a connection that broke is opened again after at most 2 s
    assert opened == 1
    await page.context.close()


PARSED = """async (fragments) => {
    const { parseFragment, queryOf, toFragment } = await import("/static/state.js");
    return fragments.map((text) => [toFragment(parseFragment(text).view), queryOf(parseFragment(text).view).window]);
}"""
INHERITED = ("constructor", "toString", "__proto__", "hasOwnProperty", "valueOf")


async def test_names_of_inherited_properties_are_not_settings_of_a_link(stack: Stack, browser: Browser) -> None:
    page = await browser.new_page()
    await page.goto(stack.gateway_url)
    fragments = [f"#{name}={value}" for name in ("window", "grain") for value in INHERITED]
    assert await page.evaluate(PARSED, fragments) == [["", "30d"]] * len(fragments)
    filters = await page.evaluate(PARSED, ["#filter[__proto__]=a&filter[constructor]=b&filter[team]=c"])
    assert filters == [["filter%5B__proto__%5D=a&filter%5Bconstructor%5D=b&filter%5Bteam%5D=c", "30d"]]
    await page.goto(f"{stack.gateway_url}/#key={stack.api_key}&window=constructor&kpi=constructor&by=team")
    await expect(page.locator("#connection")).to_have_attribute("data-state", "live", timeout=TIMEOUT)
    await expect(page.locator("#windows input:checked")).to_have_value("30d")
    await page.context.close()
