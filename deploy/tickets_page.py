"""`python -m deploy.tickets_page`: write docs/tickets.md, the ticket export and its columns, from the table that makes them."""

from pathlib import Path

from services.metrics.domain.ticket_columns import COLUMNS, NAME_COLUMNS

PAGE = Path(__file__).parents[1] / "docs" / "tickets.md"
INTRODUCTION = """\
# The ticket export

Written by `python -m deploy.tickets_page` from `services/metrics/domain/ticket_columns.py`; a test compares them. Don't edit.

`GET /v1/tickets` (scope `records:read`) returns one row for each ticket, with every duration, flag and state that KPIs count: to
check the KPIs in a spreadsheet, or to load them into a warehouse.

    curl -s -H "Authorization: Bearer $KEY" -H 'Accept: text/csv' "$BASE/v1/tickets?from=2026-11-01&to=2026-12-01&limit=2000"

| parameter | selects |
| --- | --- |
| `window`, `from`, `to`, `tz` | the time, as for KPIs ([queries.md](queries.md#windows)); `window=30d` by default |
| `filed_by=opened` | the tickets opened in it (the default) |
| `filed_by=solved` | the tickets that are solved or closed now and were last solved in it |
| `filter[team]=billing` | by the dimensions at the opening, or at the last solve ([queries.md](queries.md#filters)) |
| `preset=dbt_zendesk` | the values under a [preset](presets.md) that is on; dropped tickets too, if it keeps them |
| `limit`, `cursor` | pages of up to 2,000 tickets, 100 by default, the latest first |

| `Accept` | response |
| --- | --- |
| `application/json` | an object with `columns` (name and type), `tickets`, and `next`, the cursor of the next page |
| `text/csv`, `application/x-ndjson` | a line for each ticket; times in UTC, as [everywhere](queries.md#fields-and-formats) |
| `application/vnd.apache.parquet` | a Parquet file with typed columns; times are timestamps in UTC |

Except in JSON, the header `Link: <…>; rel="next"` names the next page. The operator's command
`earshot tickets acme -p window=90d --format parquet --output tickets.parquet` follows the pages and writes one file.

Merged, spam and deleted tickets are left out, as from every KPI. A value is empty (null) where a ticket has none. Values are
computed when they are requested, under the tenant's present terms, by the same code as the KPIs: with `filed_by=solved` the mean
of `full_resolution_seconds` is that of the KPI `full_resolution_time` with `agg=mean`. Percentiles of KPIs come from bins,
which are right to 1 %. Team and agent are those of now, while KPIs count an event with the team that had the ticket at the
event's time.

The columns, in their order. Later versions add some, so read them by name:

| column | type | value |
| --- | --- | --- |
"""


def page() -> str:
    """The content of the page."""
    rows = [(column.name, column.type, column.description) for column in COLUMNS]
    rows.append(("…", "string", "Each dimension of the tenant's own; with the prefix `dim.` if another column has its name"))
    rows += [(name, "string", f"The name of the {dimension}") for dimension, name in NAME_COLUMNS.items()]
    return INTRODUCTION + "".join(f"| `{name}` | {kind} | {text} |\n" for name, kind, text in rows)


if __name__ == "__main__":
    PAGE.write_text(page())
