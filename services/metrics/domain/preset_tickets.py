"""A ticket under the rules of a preset: its statuses, solves, replies and waits."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec.structs import replace

from services.metrics.domain.facts import STATUS_ORDER, to_minute
from services.metrics.domain.presets import Rules
from services.metrics.domain.statuses import (
    NAMES,
    SECOND,
    SOLVED,
    UNSOLVED,
    Change,
    Period,
    Solve,
    StatusPeriod,
    status_periods,
    transitions,
)
from services.metrics.domain.ticket import Assignments, TicketView, times_after_opening
from services.metrics.domain.waits import Turn, Wait, waits_of

DELETED = len(NAMES)
"""The rank of the status `deleted`, for presets that have it."""
CLOSED, OPEN = STATUS_ORDER["closed"], STATUS_ORDER["open"]

SETTLED_AFTER = timedelta(seconds=5)
"""A calendar that is set within this time after the opening counts from the opening, where a preset says so."""


def with_opener(ticket: TicketView, rules: Rules) -> TicketView:
    """The ticket, opened by an agent if a bot opened it and bots are agents."""
    return replace(ticket, opened_by="agent") if rules.bots_are_agents and ticket.opened_by == "bot" else ticket


def ticket_under(ticket: TicketView, rules: Rules) -> TicketView:
    """The ticket with the statuses, solves, replies and waits that these rules give it; a bot's opening may be an agent's."""
    ticket = with_opener(ticket, rules)
    changes: Sequence[Change] = ticket.changes
    if rules.deleted_is_status:
        changes = list(with_deletions(ticket, changes))
    if rules.reopen_grace_minutes:
        agents = ticket.replies if rules.reopen_grace_needs_agent else ()
        changes = list(without_short_reopenings(changes, timedelta(minutes=rules.reopen_grace_minutes), agents))
    ticket = with_solved_statuses(ticket, changes) if rules.solved_statuses else with_passages(ticket, changes)
    if rules.resolution_clock == "minutes":
        ticket = with_minutes(ticket)
    staff = times_after_opening(ticket.opened, ticket.staff_messages)
    repliers = tuple(staff) if rules.bots_are_agents else ticket.replies
    ends = () if rules.solved_statuses else tuple(solve.at for solve in ticket.solves)
    opened_by_agent = ticket.public and ticket.by_agent
    if rules.whole_seconds:
        waits = tuple(waits_by_seconds(ticket.questions, repliers, opened_by_agent=opened_by_agent))
    else:
        waits = tuple(waits_of(ticket.questions, repliers, ends, opened_by_agent=opened_by_agent))
    replies = tuple(staff) if rules.bots_are_agents or rules.first_reply_counts_bots else ticket.replies
    if rules.whole_seconds:
        replies = tuple(at for at in replies if whole_second(at) > whole_second(ticket.opened))
    return replace(ticket, replies=replies, waits=waits)


# --- statuses -------------------------------------------------------------------------------------------------------------
def with_passages(ticket: TicketView, changes: Sequence[Change]) -> TicketView:
    """The ticket with the solves and reopenings of these changes, as we define them."""
    passages = transitions(ticket.opened, changes)
    return replace(
        ticket,
        changes=tuple(changes),
        statuses=status_periods(ticket.opened, changes),
        unsolved=passages.unsolved(ticket.opened),
        solves=passages.solves,
        reopenings=passages.reopenings,
        current_solve=passages.current,
    )


def with_solved_statuses(ticket: TicketView, changes: Sequence[Change]) -> TicketView:
    """The ticket with a solve at each status `solved`, or at each `closed` if there is none.

    Each solve except the first is a reopening too. It has a current solve while it is solved or closed. A status that repeats the
    one before is not a change.
    """
    distinct = [change for place, change in enumerate(changes) if not place or changes[place - 1][1] != change[1]]
    ranks = {rank for _, rank in distinct}
    solving = SOLVED if SOLVED in ranks else CLOSED
    solves = tuple(Solve(max(at, ticket.opened), (at - ticket.opened) // SECOND) for at, rank in distinct if rank == solving)
    latest = distinct[-1][1] if distinct else 0
    periods = tuple(periods_but_deleted(ticket.opened, distinct))
    return replace(
        ticket,
        changes=tuple(distinct),
        statuses=periods,
        unsolved=tuple(unsolved_of(periods)),
        solves=solves,
        reopenings=tuple(solve.at for solve in solves[1:]),
        current_solve=solves[-1] if solves and latest in (SOLVED, CLOSED) else None,
    )


def with_minutes(ticket: TicketView) -> TicketView:
    """The ticket with the seconds of its solves from the minute of the opening to that of the solve."""

    def in_minutes(solve: Solve) -> Solve:
        return solve._replace(seconds=minutes_between(ticket.opened, ticket.opened + solve.seconds * SECOND) * 60)

    def exact(solve: Solve) -> Solve:
        return solve._replace(seconds=minutes_between(ticket.opened, solve.at) * 60) if solve.seconds >= 0 else in_minutes(solve)

    current = ticket.current_solve
    return replace(ticket, solves=tuple(map(exact, ticket.solves)), current_solve=None if current is None else exact(current))


def with_deletions(ticket: TicketView, changes: Iterable[Change]) -> Iterator[Change]:
    """The changes with the status DELETED at each deletion, and with the status before it at each restoration."""
    steps: list[tuple[datetime, int, int | bool]] = [(at, 0, rank) for at, rank in changes]
    steps += [(max(at, ticket.opened), 1, value) for at, value in ticket.deletions]
    current, deleted = 0, False
    for at, is_deletion, value in sorted(steps, key=lambda step: step[:2]):
        if not is_deletion:
            current, deleted = int(value), False
            yield at, current
        elif bool(value) is not deleted:
            deleted = not deleted
            yield at, DELETED if deleted else current


def without_short_reopenings(changes: Sequence[Change], grace: timedelta, replies: Iterable[datetime]) -> Iterator[Change]:
    """The changes without those between a solve and the next one, if the ticket was unsolved for at most `grace`.

    A reopening with any of `replies` stays.
    """
    times = tuple(replies)
    place, solved = 0, False
    while place < len(changes):
        at, rank = changes[place]
        if solved and rank < SOLVED:
            following = next((n for n in range(place, len(changes)) if changes[n][1] >= SOLVED), None)
            if following is not None:
                again = changes[following][0]
                if again - at <= grace and not any(at <= reply <= again for reply in times):
                    place = following
                    continue
        solved = rank >= SOLVED
        yield at, rank
        place += 1


def periods_but_deleted(opened: datetime, changes: Iterable[Change]) -> Iterator[StatusPeriod]:
    """The statuses as `status_periods` has them, without the periods in which the ticket is deleted."""
    starts = [(max(at, opened), rank) for at, rank in changes]
    if not starts or starts[0][0] > opened:
        starts.insert(0, (opened, 0))
    ends: list[datetime | None] = [*(start for start, _ in starts[1:]), None]
    for (start, rank), end in zip(starts, ends, strict=True):
        if rank != DELETED and (end is None or start < end):
            yield StatusPeriod(start, end, NAMES[rank])


def unsolved_of(periods: Iterable[StatusPeriod]) -> Iterator[Period]:
    """The periods in which the ticket has an unsolved status; adjacent ones are one."""
    unsolved = [(period.start, period.end) for period in periods if period.status in UNSOLVED]
    starts = {end for _, end in unsolved}
    joined = [start for start, _ in unsolved if start not in starts]
    of_end = {start for start, _ in unsolved}
    ends = [end for _, end in unsolved if end is None or end not in of_end]
    yield from zip(joined, ends, strict=True)


# --- time -----------------------------------------------------------------------------------------------------------------
def whole_second(at: datetime) -> datetime:
    """The time without parts of a second."""
    return at.replace(microsecond=0)


def waits_by_seconds(questions: Sequence[datetime], replies: Sequence[datetime], *, opened_by_agent: bool) -> Iterator[Wait]:
    """The waits of a customer's messages that follow one of staff, each until the first reply of a later second.

    Of one second the customer's messages come first. A reply of a message's own second, such as that of a bot, doesn't answer it,
    so two waits may end with one reply. Solves end none. Both parameters are in order of time.
    """
    seconds = [whole_second(at) for at in replies]
    turns = [*((whole_second(at), Turn.MESSAGE, at) for at in questions), *((at, Turn.REPLY, at) for at in seconds)]
    staff_was_last = opened_by_agent
    for second, turn, at in sorted(turns):
        if turn is Turn.MESSAGE and staff_was_last:
            later = bisect_right(seconds, second)
            yield Wait(at, replied=replies[later] if later < len(replies) else None)
        staff_was_last = turn is Turn.REPLY


def minutes_between(start: datetime, end: datetime) -> int:
    """The minutes from that of `start` to that of `end`, whatever their seconds."""
    return (to_minute(end) - to_minute(start)) // timedelta(minutes=1)


def closes_of(ticket: TicketView) -> tuple[list[datetime], list[datetime]]:
    """The times of each status solved or closed, and of each status open after the first of them or at the same time."""
    closes: list[datetime] = []
    reopenings: list[datetime] = []
    for at, rank in ticket.changes:
        if rank >= SOLVED:
            closes.append(max(at, ticket.opened))
        elif rank == OPEN and closes:
            reopenings.append(at)
    return closes, reopenings


def handed_over_at(ticket: TicketView, reply: datetime) -> datetime:
    """The latest change from pending to open, or reopening, up to the reply; the opening if there is none."""
    pending = STATUS_ORDER["pending"]
    handoffs = [at for (_, before), (at, rank) in pairwise(ticket.changes) if before == pending and rank < pending]
    return max((at for at in (*handoffs, *ticket.reopenings) if at <= reply), default=ticket.opened)


def teams_of(ticket: TicketView, rules: Rules) -> Assignments:
    """The teams by whose calendars durations of the whole ticket count."""
    match rules.business_schedules:
        case "opening":
            return always(ticket, ticket.teams.at(ticket.opened))
        case "last":
            return always(ticket, ticket.teams.names[-1] if ticket.teams.names else None)
        case "each":
            return settled_teams(ticket) if rules.solved_statuses else ticket.teams


def always(ticket: TicketView, team: str | None) -> Assignments:
    """One team from the opening on."""
    return Assignments((ticket.opened,), (team,))


def with_settled_teams(ticket: TicketView) -> TicketView:
    """The ticket with `settled_teams`, by whose calendars its SLA targets count where a preset says so."""
    return replace(ticket, teams=settled_teams(ticket))


def settled_teams(ticket: TicketView) -> Assignments:
    """The teams of the ticket; the last one that was set within SETTLED_AFTER has it from the opening on."""
    soon = ticket.opened + SETTLED_AFTER
    early = [name for at, name in zip(ticket.teams.times, ticket.teams.names, strict=True) if at <= soon]
    later = [(at, name) for at, name in zip(ticket.teams.times, ticket.teams.names, strict=True) if at > soon]
    if early:
        later.insert(0, (ticket.opened, early[-1]))
    return Assignments(tuple(at for at, _ in later), tuple(name for _, name in later))
