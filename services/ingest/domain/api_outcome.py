"""The outcome of a call to a tool's API: each status and each error has exactly one."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from services.ingest.domain.reason_codes import ReasonCode

FIRST_PAUSE = 10.0
"""Seconds after the first failed attempt. Each further pause is twice as long."""
LONGEST_PAUSE = 6 * 3600.0
MOST_ATTEMPTS = 15
"""Failed attempts after which a delivery goes to quarantine, about a day after the first."""

MOST_MISSES = 6
"""Calls for an object that the tool may not have yet, in about five minutes. Then its delivery goes to quarantine."""

LONGEST_BLOCK = 300.0
"""Seconds for which a failing API isn't called, at most."""
RATE_LIMIT_PAUSE = 60.0
"""Seconds after a 429 without a usable Retry-After. The limits of most tools count by the minute."""
LONGEST_RETRY_AFTER = 24 * 3600.0

MOST_FAULTS = 5
"""Attempts that may end with an unexpected error of ours. Unlike an outage, more of them would hardly help."""

Action = Literal["retry", "wait", "quarantine", "ignore", "stop"]
"""`retry`: again after a pause; the attempt counts. `wait`: again when the API may be called; the attempt does not count.
`ignore`: deleted at the tool. `stop`: no call for the connection until its credentials change."""


@dataclass(eq=False, slots=True)
class Failure(Exception):
    """A call without a usable answer. `label` is the outcome in metrics. `retry_after`: seconds, if the tool states them."""

    action: Action
    label: str
    reason: str
    retry_after: float | None = None


def gives_up(failure: Failure, attempts: int) -> bool:
    """Whether a failure that is worth a retry has been retried often enough."""
    return failure.action == "retry" and attempts >= (MOST_MISSES if failure.label == "missing" else MOST_ATTEMPTS)


def describe_fault(error: Exception) -> str:
    """A reason for people, with the type of an unexpected error. Its message is left out: it may quote a customer's words."""
    return f"an unexpected fault of ours ({type(error).__name__})"


def reason_code_of(failure: Failure) -> ReasonCode:
    """The code of a delivery that goes to quarantine after this failure."""
    match failure.label:
        case "forbidden":
            return "api_forbidden"
        case "too_large":
            return "too_large"
        case "unusable":
            return "unexpected_payload"
        case "fault":
            return "internal_fault"
        case "refused":
            return "api_refused"
        case _:
            return "api_unavailable"


def failure_of_status(status: int, retry_after: str, now: datetime) -> Failure:
    """The failure that a status other than 200 means. `retry_after` is the header, empty if there is none."""
    reason = f"the tool's API answered {status}"
    match status:
        case 401:
            return Failure("stop", "unauthorized", f"{reason}: it refuses the credentials")
        case 403:
            return Failure("quarantine", "forbidden", f"{reason}: the credentials lack a permission for this object")
        case 404 | 410:
            return Failure("ignore", "not_found", "deleted at the tool")
        case 429:
            seconds = parse_retry_after(retry_after, now)
            return Failure("wait", "rate_limited", reason, RATE_LIMIT_PAUSE if seconds is None else seconds)
        case 408 | 409 | 423 | 425:
            return Failure("retry", "unavailable", reason, parse_retry_after(retry_after, now))
        case _ if status >= 500:
            return Failure("retry", "unavailable", reason, parse_retry_after(retry_after, now))
        case _:
            return Failure("quarantine", "refused", reason)


def parse_retry_after(value: str, now: datetime) -> float | None:
    """The seconds of a Retry-After header, a number or an HTTP date, at most LONGEST_RETRY_AFTER. None if it is neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(0.0, (at - now).total_seconds()), LONGEST_RETRY_AFTER)


def pause_after(attempts: int, jitter: float) -> float:
    """Seconds until the next attempt after `attempts` failed ones. `jitter` between 0 and 1 spreads it over a quarter."""
    return min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE) * (1 + jitter / 4)


def block_after(failures: int) -> float:
    """Seconds for which an API isn't called after `failures` in a row. A single failure blocks nothing."""
    return 0.0 if failures < 2 else min(5.0 * 2.0 ** min(failures - 2, 10), LONGEST_BLOCK)
