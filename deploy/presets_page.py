"""`python -m deploy.presets_page`: write docs/presets.md, the presets and their differences, from the table of presets."""

from pathlib import Path

from services.metrics.domain.kpis import KPIS
from services.metrics.domain.presets import MOST_ENABLED, MOST_GRACE, MOST_OWN, MOST_REPLIES, PRESETS, Preset
from services.metrics.domain.query import MAX_PRESETS

PAGE = Path(__file__).parents[1] / "docs" / "presets.md"
INTRODUCTION = f"""\
# Presets

Written by `python -m deploy.presets_page` from `services/metrics/domain/presets.py`; a test compares them. Don't edit.

A preset counts the tickets of a tenant under other definitions, beside our own: those of another system, to compare with its
numbers, or those that the tenant states. What it doesn't change is ours.

## Use a preset
`PUT /v1/presets/dbt_zendesk` (scope `admin`) with the body `{{}}` switches a preset on, `{{"enabled": false}}` off. That is a \
change
of the [terms](queries.md#terms): its rows are computed in the background, and deleted when it is off. Then `preset=` selects it:

```sh
curl -s -X PUT -H "Authorization: Bearer $ADMIN" -H 'Content-Type: application/json' "$BASE/v1/presets/dbt_zendesk" -d '{{}}'
curl -s -H "Authorization: Bearer $KEY" "$BASE/v1/kpis/first_reply_time?window=30d&preset=dbt_zendesk"
```

- Every KPI of tickets can be queried under every preset, with all other parameters: `hours=business`, groups, filters, `compare`.
  Other KPIs, such as `nps`, have no definition under a preset: a 400. So has a preset that doesn't exist.
- A value under a preset that is off, or not built yet, is null with the flag `no_preset`.
- `terms.preset` of a result names its preset. Rows of a preset have measures of its own (`first_reply@dbt_zendesk:replied` in
  records), so they never mix with others.
- `/v1/kpis/{{kpi}}/records`, `/explain` and `/v1/live` take `preset` too. `GET /v1/tickets?preset=` exports the tickets with the
  preset's values; it must be on, else it is a 400.
- `GET /v1/presets` (scope `metrics:read`) lists the presets, which are on, and by KPI how each differs. At most {MOST_ENABLED} \
are on at
  once: each may add as many contributions as the tickets have.

## Side by side
`compare_presets=dbt_zendesk,zendesk` on a KPI query (up to {MAX_PRESETS}) adds the value under each to every row, with the \
difference to the
row's value, and says how the definitions differ and how many tickets are counted differently:

```sh
curl -s -H "Authorization: Bearer $KEY" "$BASE/v1/kpis/first_reply_time?window=30d&compare_presets=dbt_zendesk"
```
```json
{{"kpi": "first_reply_time", "compare_presets": [{{"preset": "dbt_zendesk", "name": "The dbt package for Zendesk",
  "difference": "merged, spam and deleted tickets count too; …", "tickets": 412, "different_tickets": 35}}],
 "rows": [{{"value": 5400.0, "n": 398, "…": "…",
   "presets": [{{"preset": "dbt_zendesk", "value": 4980.0, "n": 412, "delta": -420.0, "interval": {{"…": 0}}, "flags": []}}]}}]}}
```

`tickets` count under either definition; `different_tickets` of them have other values, or count under one alone. Counting them
reads every record of the window, so a long window takes longer, and is a 503 after the time of a query. A value has the
default `filed_by` of each preset, unless the query states another one. In CSV there are columns `compare_preset_1_preset`,
`_value`, `_n` and `_delta` for each.
 The page
shows the presets that are on in the panel of a KPI's definition, and `earshot kpi acme first_reply_time -p
compare_presets=zendesk,dbt_zendesk` prints them.

## Your own preset
A body with switches defines a preset under an id of your own: a lower-case letter, then up to 39 lower-case letters, digits or \
`_`.

```sh
curl -s -X PUT -H "Authorization: Bearer $ADMIN" -H 'Content-Type: application/json' "$BASE/v1/presets/board" -d '{{
  "name": "Our board", "first_reply": {{"counts_bots": true}}, "reopen": {{"grace_minutes": 60, "grace_needs_agent": true}}}}'
```

| switch | default | meaning |
| --- | --- | --- |
| `first_reply.counts_bots` | false | public messages of bots, and automatic ones, count as the first reply; for the SLA target \
too |
| `first_reply.from` | `opening` | `handoff`: the time runs from the latest change from pending to open, or reopening, before \
the reply |
| `reopen.grace_minutes` | 0 | a reopening after which the ticket is solved again within this many minutes doesn't count: \
the ticket stays solved. Until it is solved again, the reopening counts. At most {int(MOST_GRACE.total_seconds()) // 60} |
| `reopen.grace_needs_agent` | false | true: such a reopening counts after all if a human agent replied before it was solved \
again |
| `resolution.clock` | `seconds` | `minutes`: the minute of the solve − the minute of the opening, whatever their seconds |
| `one_touch.max_replies` | null | at most this many replies, possibly none, whether the ticket was reopened or not; null: \
exactly one, \
and never reopened. At most {MOST_REPLIES} |
| `one_touch.counts_opening` | false | an agent's own opening counts as a reply |
| `dropped.keep` | false | merged, spam and deleted tickets count in every KPI |
| `sla.solve_fulfils` | false | a solve by the deadline meets the target of a reply, rather than cancelling it |
| `business.schedules` | `each` | durations in business hours by the calendar of `each` team while it held the ticket, of that \
at the \
`opening`, or of the `last` one; next replies and SLA targets always by that of each |

`{{"first_reply.counts_bots": true}}` is the same as the object. A body with switches states the whole definition: those that it
leaves out are ours. It is a version of the terms, which is never changed; defining the preset again adds another version, which
counts once it is built. `history` of `GET /v1/presets` lists them. A tenant can define {MOST_OWN} presets.

## Presets of other systems
"""
CHOICES = """\
## Where the rules leave a choice
- `zendesk`: durations of the whole ticket count by the calendar of the last team; next replies and SLA targets are single events,
  and count by the calendar of each team. Whether a ticket was reopened makes no difference for one touch.
- `dbt_zendesk`: the calendar of the team at the opening counts from the opening; another one that is set within five seconds
  replaces it from the opening on, for SLA targets too. Durations in business hours count whole seconds, as the package does, also
  where those in all hours count minutes of the clock. A KPI of times in statuses
  (`handling_time`, `requester_wait`, `agent_wait`) or of replies counts the tickets that are solved or closed now, at their last
  solve; for the other tickets, whose times run, `GET /v1/tickets?preset=dbt_zendesk` has the values of the moment, as the package
  has. A reopening is filed under the solve that ends it. `total_reply_seconds` of the export is the package's total reply time.
  Another policy whose conditions hold later applies too; the same policy with another priority doesn't apply again. Every target
  runs from the same beginning as ours. A policy gives no target to what ended before it applied, nor to a wait that began after
  another policy replaced it. `sla_breached_open` counts a ticket once, with the priority at which the last policy applied. The
  known faults of the package are not copied: open tickets that run 1,000 business hours on, `sla_breach_at` too late, weeks
  without an opening counted whole.
- `intercom`: a part that opens the conversation is a status open after the first close.
- `chatwoot`: a hand-off by a bot is a change from pending to open, as Chatwoot makes one. Its snoozed conversations are pending
  too, so the end of a snooze before the first reply counts as one.
- No other rule of these systems is copied. Where a vendor's documents state no rule, ours applies.
"""


def page() -> str:
    """The content of the page."""
    return "\n".join([INTRODUCTION, *(_section(preset) for preset in PRESETS.values()), CHOICES])


def _section(preset: Preset) -> str:
    differences = [(kpi.id, kpi.difference(preset)) for kpi in KPIS.values() if kpi.is_defined_by(preset)]
    lines = [f"| `{kpi}` | {text} |" for kpi, text in differences if text]
    return "\n".join([f"### {preset.name} (`{preset.id}`)", "", "| KPI | differs from ours |", "| --- | --- |", *lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page())
