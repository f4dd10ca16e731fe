"""Presets: other definitions of the KPIs of tickets, under which a tenant's tickets are counted beside our own.

Some are those of other systems. A tenant can define its own, by the switches of `Switches`. A preset has measures of its own for
the families that its rules change, so its numbers never mix with others; it reads ours for all other families. Its contributions
are computed for the tenants that switched it on.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Literal

from services.metrics.domain.measure import Measure
from services.metrics.domain.ticket_measures import (
    AGENT_REPLIES,
    AGENT_WAIT,
    BACKLOG,
    BACKLOG_AGE,
    BUSINESS_MEASURES,
    CURRENT_SOLVE,
    FIRST_REPLY,
    FIRST_RESOLUTION,
    FIRST_SOLVE,
    FULL_RESOLUTION,
    HANDLING,
    NEXT_REPLY,
    OPENED,
    REOPENED,
    REQUESTER_WAIT,
    SLA_FIRST_REPLY,
    SLA_NEXT_REPLY,
    SLA_OVERDUE,
    SLA_RESOLUTION,
    SOLVED,
    SOLVED_COHORT,
    TOUCHES,
)

Start = Literal["opening", "handoff"]
Clock = Literal["seconds", "minutes"]
Schedules = Literal["each", "opening", "last"]

PRESET_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
"""The id of a tenant's own preset."""
MOST_OWN = 10
"""Presets that a tenant can define."""
MOST_ENABLED = 4
"""Presets that are switched on at once: each may add as many contributions as the tickets have."""
MOST_GRACE = timedelta(days=7)
"""The longest `reopen.grace_minutes`."""
MOST_REPLIES = 20
"""The most `one_touch.max_replies`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The parts of the definitions that a tenant's own preset may change. The defaults are our definitions."""

    first_reply_counts_bots: bool = False
    first_reply_from: Start = "opening"
    reopen_grace_minutes: int = 0
    reopen_grace_needs_agent: bool = False
    resolution_clock: Clock = "seconds"
    one_touch_max_replies: int | None = None
    one_touch_counts_opening: bool = False
    dropped_keep: bool = False
    sla_solve_fulfils: bool = False
    business_schedules: Schedules = "each"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Switches):
    """All parts of the definitions that a preset may change. Those that `Switches` lacks are for other systems.

    `deleted_is_status` needs `solved_statuses`: deleted is not a status in STATUS_ORDER.
    """

    bots_are_agents: bool = False
    whole_seconds: bool = False
    first_reply_filed_by_opening: bool = False
    solved_statuses: bool = False
    each_solve_resolves: bool = False
    closes_per_part: bool = False
    status_minutes: bool = False
    deleted_is_status: bool = False
    one_touch_when_reopened: bool = False
    sla_per_application: bool = False
    median_first: bool = False


# --- the families that each rule changes ----------------------------------------------------------------------------------
def families_of(*measures: Measure) -> frozenset[str]:
    """The families of these measures."""
    return frozenset(measure.family for measure in measures)


def in_both_hours(*durations: Measure) -> frozenset[str]:
    """The families of these durations, in all seconds and in business hours."""
    return families_of(*durations, *(BUSINESS_MEASURES[duration.family] for duration in durations))


FIRST_REPLIES = in_both_hours(FIRST_REPLY)
NEXT_REPLIES = in_both_hours(NEXT_REPLY)
FIRST_RESOLUTIONS = in_both_hours(FIRST_RESOLUTION)
FULL_RESOLUTIONS = in_both_hours(FULL_RESOLUTION)
TIMES = in_both_hours(HANDLING, REQUESTER_WAIT, AGENT_WAIT)
REPLIES = families_of(AGENT_REPLIES, TOUCHES)
SOLVES = families_of(SOLVED, REOPENED, BACKLOG, BACKLOG_AGE, SOLVED_COHORT, CURRENT_SOLVE, FIRST_SOLVE)
REPLY_TARGETS = families_of(SLA_FIRST_REPLY, SLA_NEXT_REPLY, SLA_OVERDUE)
TARGETS = REPLY_TARGETS | families_of(SLA_RESOLUTION)
EVERY = (
    FIRST_REPLIES | NEXT_REPLIES | FIRST_RESOLUTIONS | FULL_RESOLUTIONS | TIMES | REPLIES | SOLVES | TARGETS | families_of(OPENED)
)
"""The families that a preset may have rows of."""
NOTHING = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Rule:
    """The effect of a rule: the families of measures whose rows differ, and the difference in words.

    `{}` in `text` is replaced by the value of the rule. `described` are further families whose KPIs the text is about.
    """

    families: frozenset[str]
    text: str
    described: frozenset[str] = NOTHING


IN_BUSINESS_HOURS = (FIRST_REPLIES | FIRST_RESOLUTIONS | FULL_RESOLUTIONS | TIMES) & families_of(*BUSINESS_MEASURES.values())

RULES: dict[str, Rule] = {
    "first_reply_counts_bots": Rule(
        FIRST_REPLIES | families_of(SLA_FIRST_REPLY, SLA_OVERDUE),
        "messages of bots and automatic messages count as the first reply",
    ),
    "first_reply_from": Rule(
        FIRST_REPLIES,
        "the time runs from the latest hand-off by a bot (a change from pending to open) or reopening before the reply, where"
        " there is one",
    ),
    "first_reply_filed_by_opening": Rule(NOTHING, "filed by the time of the opening, unless filed_by=replied", FIRST_REPLIES),
    "bots_are_agents": Rule(
        FIRST_REPLIES | NEXT_REPLIES | REPLIES | REPLY_TARGETS,
        "bots are agents, also where they open a ticket, and their messages and automatic ones are replies",
    ),
    "whole_seconds": Rule(
        FIRST_REPLIES | NEXT_REPLIES | REPLY_TARGETS,
        "a reply comes after the second of the opening or of the message that it answers; `first_reply_time` and"
        " `next_reply_time` are between whole seconds",
    ),
    "reopen_grace_minutes": Rule(
        SOLVES | REPLIES | NEXT_REPLIES | FULL_RESOLUTIONS | TIMES | TARGETS,
        "a reopening that is solved again within {} minutes doesn't count",
    ),
    "reopen_grace_needs_agent": Rule(
        NOTHING,
        "unless an agent replied before that",
        SOLVES | REPLIES | NEXT_REPLIES | FULL_RESOLUTIONS | TIMES | TARGETS,
    ),
    "resolution_clock": Rule(
        FIRST_RESOLUTIONS | FULL_RESOLUTIONS, "in whole minutes of the clock: the minute of the solve − the minute of the opening"
    ),
    "solved_statuses": Rule(
        SOLVES | REPLIES | NEXT_REPLIES | FIRST_RESOLUTIONS | FULL_RESOLUTIONS | TIMES,
        "solves are the statuses solved, and closed only if the ticket was never solved; each except the first ends a "
        "reopening; a reopening doesn't withdraw the full resolution, only that in business hours; a solve doesn't end a wait "
        "for a reply",
    ),
    "each_solve_resolves": Rule(FULL_RESOLUTIONS, "each solve is a resolution of its own, from the opening; none is withdrawn"),
    "closes_per_part": Rule(
        families_of(SOLVED, REOPENED),
        "each status solved or closed is a solve, also of a ticket that is solved, and each status open after the first of them"
        " a reopening",
    ),
    "status_minutes": Rule(TIMES, "each period counts the whole minutes of the clock from its beginning to its end"),
    "one_touch_max_replies": Rule(
        families_of(TOUCHES), "one touch: at most {} replies, possibly none, whether it was reopened or not"
    ),
    "one_touch_counts_opening": Rule(families_of(TOUCHES), "an agent's own opening counts as a reply for one touch"),
    "one_touch_when_reopened": Rule(families_of(TOUCHES), "a ticket that was reopened can be one touch"),
    "dropped_keep": Rule(EVERY, "merged, spam and deleted tickets count too"),
    "deleted_is_status": Rule(
        EVERY - families_of(OPENED), "deleted is a status that is neither solved nor open; restoring repeats the status before"
    ),
    "sla_solve_fulfils": Rule(REPLY_TARGETS, "a solve by the deadline meets the target of a reply"),
    "sla_per_application": Rule(
        TARGETS,
        "the target of the first reply is that of the policy at the opening if one applied then, else of the one that applied"
        " last; for other targets each policy that applies later counts too",
    ),
    "business_schedules": Rule(
        IN_BUSINESS_HOURS,
        "in business hours by the calendar of one team for the whole ticket: the {} one; next replies and targets by that of each"
        " team while it held the ticket",
    ),
    "median_first": Rule(NOTHING, "the median by default", families_of(AGENT_REPLIES)),
}
"""Every rule by the name of its field, in the order in which differences are listed."""

OURS = Rules()


# --- presets --------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Preset:
    """A preset. `notes` say by KPI what its rules don't, and name KPIs that it has beside those of tickets."""

    id: str
    name: str
    rules: Rules
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def changed(self) -> list[str]:
        """The names of the rules that differ from ours."""
        return [name for name in RULES if getattr(self.rules, name) != getattr(OURS, name)]

    @property
    def families(self) -> frozenset[str]:
        """The families of which it has rows of its own."""
        return NOTHING.union(*(RULES[name].families for name in self.changed))

    def difference(self, kpi: str, families: Iterable[str]) -> str:
        """How its definition of a KPI that reads these families differs from ours; empty if it doesn't."""
        of_kpi = set(families)
        texts = [
            RULES[name].text.format(getattr(self.rules, name))
            for name in self.changed
            if not of_kpi.isdisjoint(RULES[name].families | RULES[name].described | self._described_by_other_rules(name))
        ]
        return "; ".join([*texts, *([self.notes[kpi]] if kpi in self.notes else [])])

    def _described_by_other_rules(self, name: str) -> frozenset[str]:
        """The families that a rule is about because of another one: first replies that run from the latest reopening."""
        from_reopening = name.startswith("reopen_grace") and self.rules.first_reply_from == "handoff"
        return FIRST_REPLIES if from_reopening else NOTHING


@dataclass(frozen=True, slots=True)
class OwnPreset:
    """A version of a tenant's own preset."""

    id: str
    name: str
    switches: Switches

    @property
    def preset(self) -> Preset:
        """The preset that it defines."""
        return Preset(
            self.id, self.name, Rules(**{switch.name: getattr(self.switches, switch.name) for switch in fields(Switches)})
        )


ZENDESK = Preset(
    id="zendesk",
    name="Zendesk",
    rules=Rules(one_touch_max_replies=1, sla_solve_fulfils=True, business_schedules="last"),
)
"""The metrics of Zendesk's own documentation."""

DBT_ZENDESK = Preset(
    id="dbt_zendesk",
    name="The dbt package for Zendesk",
    rules=Rules(
        dropped_keep=True,
        deleted_is_status=True,
        bots_are_agents=True,
        whole_seconds=True,
        resolution_clock="minutes",
        solved_statuses=True,
        status_minutes=True,
        one_touch_counts_opening=True,
        one_touch_when_reopened=True,
        sla_solve_fulfils=True,
        sla_per_application=True,
    ),
)
"""The dbt package `fivetran/dbt_zendesk`."""

INTERCOM = Preset(
    id="intercom",
    name="Intercom",
    rules=Rules(first_reply_filed_by_opening=True, closes_per_part=True, median_first=True),
)

CHATWOOT = Preset(
    id="chatwoot",
    name="Chatwoot",
    rules=Rules(first_reply_from="handoff", each_solve_resolves=True),
    notes={"csat": "none: its ratings of 4 and 5 of 1 to 5, by the time of the answer, are ours"},
)

PRESETS: dict[str, Preset] = {preset.id: preset for preset in (ZENDESK, DBT_ZENDESK, INTERCOM, CHATWOOT)}
"""The presets of other systems by their ids."""
