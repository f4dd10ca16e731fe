"""Webhooks in progress are shared between connections."""

from contextlib import ExitStack

import pytest

from services.ingest.api.admission import Admission
from shared.problems import Unavailable


def admit_all(stack: ExitStack, admission: Admission, connection: str) -> int:
    """Admit webhooks of one connection until it is refused. Returns their number."""
    for count in range(1_000):
        try:
            stack.enter_context(admission.admit(connection))
        except Unavailable:
            return count
    raise AssertionError("the connection is never refused")


def test_a_connection_alone_may_use_six_tenths() -> None:
    admission = Admission(100)
    with ExitStack() as stack:
        assert admit_all(stack, admission, "noisy") == 60
    with ExitStack() as stack:
        assert admit_all(stack, admission, "noisy") == 60


def test_however_many_connections_are_busy_another_is_admitted() -> None:
    admission = Admission(100)
    with ExitStack() as stack:
        counts = [admit_all(stack, admission, f"noisy-{number}") for number in range(5)]
        stack.enter_context(admission.admit("quiet"))
    assert counts[0] == 60
    assert all(counts)
    assert sum(counts) < 100


def test_a_refusal_says_when_to_retry() -> None:
    admission = Admission(5)
    with ExitStack() as stack:
        admit_all(stack, admission, "noisy")
        with pytest.raises(Unavailable) as refused:
            admission.admit("noisy")
    assert refused.value.headers["Retry-After"] == "2"


def test_the_end_of_a_webhook_makes_room_also_after_an_error() -> None:
    admission = Admission(3)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), admission.admit("tool"):
            raise ZeroDivisionError
    with admission.admit("tool"):
        pass
