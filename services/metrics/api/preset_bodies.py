"""The body of `PUT /v1/presets/{preset}`: the switches of a tenant's own preset."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.metrics.api.calendars import ONE_LINE
from services.metrics.domain.presets import MOST_GRACE, MOST_REPLIES, Switches
from shared.text import nfc

PresetName = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=ONE_LINE), AfterValidator(nfc)]

GROUPS = ("first_reply", "reopen", "resolution", "one_touch", "dropped", "sla", "business")
"""The groups of switches."""


class Group(BaseModel):
    """A group of switches. One that is left out has our definition."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, strict=True)


class FirstReplySwitches(Group):
    """The first reply."""

    counts_bots: bool = Field(False, description="Public messages of bots, and automatic ones, count as the first reply")
    from_: Literal["opening", "handoff"] = Field(
        "opening",
        alias="from",
        description="Where the time begins: `handoff` is the latest change from pending to open, or reopening, before the reply,"
        " and the opening where there is none",
    )


class ReopenSwitches(Group):
    """Reopenings by a “thank you”."""

    grace_minutes: int = Field(
        0,
        ge=0,
        le=int(MOST_GRACE.total_seconds()) // 60,
        description="A reopening after which the ticket is solved again within this many minutes doesn't count: the ticket "
        "stays solved. Until it is solved again, the reopening counts",
    )
    grace_needs_agent: bool = Field(
        False, description="true: such a reopening counts after all if a human agent replied before it was solved again"
    )


class ResolutionSwitches(Group):
    """The first and the full resolution."""

    clock: Literal["seconds", "minutes"] = Field(
        "seconds",
        description="`minutes`: the minute of the solve − the minute of the opening, whatever their seconds. Values stay in"
        " seconds",
    )


class OneTouchSwitches(Group):
    """One-touch tickets."""

    max_replies: int | None = Field(
        None,
        ge=0,
        le=MOST_REPLIES,
        description="At most this many replies, possibly none, whether the ticket was reopened or not. null: exactly one, and "
        "never reopened",
    )
    counts_opening: bool = Field(False, description="An agent's own opening counts as a reply")


class DroppedSwitches(Group):
    """Merged, spam and deleted tickets."""

    keep: bool = Field(False, description="They count in every KPI")


class SlaSwitches(Group):
    """SLA targets."""

    solve_fulfils: bool = Field(
        False, description="A solve by the deadline meets the target of a reply, rather than cancelling it"
    )


class BusinessSwitches(Group):
    """Business hours of a ticket that moved between teams."""

    schedules: Literal["each", "opening", "last"] = Field(
        "each",
        description="The calendar of durations: `each` team's while it held the ticket, that of the team at the `opening`, or"
        " that of the `last` team. Next replies and SLA targets always count by that of each",
    )


class PresetBody(BaseModel):
    """Whether a preset is switched on, and the definition of one of the tenant's own."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool = Field(
        True, strict=True, description="false switches the preset off, and deletes the rows that were stored for it"
    )
    name: PresetName | None = Field(
        None,
        description="The name of a preset of the tenant's own, for people",
        examples=["Our board"],
    )
    first_reply: FirstReplySwitches | None = Field(None, description="The first reply")
    reopen: ReopenSwitches | None = Field(None, description="Reopenings")
    resolution: ResolutionSwitches | None = Field(None, description="The first and the full resolution")
    one_touch: OneTouchSwitches | None = Field(None, description="One-touch tickets")
    dropped: DroppedSwitches | None = Field(None, description="Merged, spam and deleted tickets")
    sla: SlaSwitches | None = Field(None, description="SLA targets")
    business: BusinessSwitches | None = Field(None, description="Business hours")

    @model_validator(mode="before")
    @classmethod
    def nest(cls, body: Any) -> Any:
        """Accept `first_reply.counts_bots` as well as `counts_bots` in `first_reply`. Raises ValueError for one stated twice."""
        if not isinstance(body, dict):
            return body
        nested = {name: value for name, value in body.items() if name.partition(".")[0] not in GROUPS or "." not in name}
        for name, value in body.items():
            group, dot, switch = name.partition(".")
            if dot and group in GROUPS:
                inner = nested.get(group)
                if isinstance(inner, dict) and switch in inner:
                    raise ValueError(f"{name} is stated twice")
                nested[group] = {**(inner if isinstance(inner, dict) else {}), switch: value}
        return nested

    @property
    def switches(self) -> Switches | None:
        """The switches; None if the body has none."""
        groups = {name: group for name in GROUPS if (group := getattr(self, name)) is not None}
        if not groups:
            return None
        values = {
            f"{name}_{field.rstrip('_')}": value for name, group in groups.items() for field, value in group.model_dump().items()
        }
        return Switches(**values)


def nested_switches(switches: Switches) -> dict[str, dict[str, Any]]:
    """The switches as the body has them."""
    nested: dict[str, dict[str, Any]] = {}
    for group in GROUPS:
        prefix = f"{group}_"
        nested[group] = {
            name.removeprefix(prefix): getattr(switches, name)
            for name in Switches.__dataclass_fields__
            if name.startswith(prefix)
        }
    return nested
