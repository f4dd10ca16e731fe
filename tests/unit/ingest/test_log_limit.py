"""A flood of lines of one kind is cut to a few, and the others are counted."""

from services.ingest.domain.log_limit import LINES, MOST_KINDS, WINDOW_SECONDS, LogLimit

KIND = ("con_1", 401)


def test_each_kind_has_a_few_lines_in_a_window() -> None:
    limit = LogLimit()
    assert [limit.admits(KIND, 0.0) for _ in range(LINES + 2)] == [True] * LINES + [False, False]
    assert limit.admits(("con_1", 413), 0.0)
    assert limit.admits(("con_2", 401), 0.0)


def test_the_lines_that_were_left_out_are_returned_once_when_the_window_ends() -> None:
    limit = LogLimit()
    for _ in range(LINES + 3):
        limit.admits(KIND, 0.0)
    assert list(limit.ended(WINDOW_SECONDS - 1)) == []
    assert list(limit.ended(WINDOW_SECONDS)) == [(KIND, 3)]
    assert list(limit.ended(WINDOW_SECONDS)) == []
    assert limit.admits(KIND, WINDOW_SECONDS)


def test_every_window_can_be_ended_at_the_stop() -> None:
    limit = LogLimit()
    for _ in range(LINES + 1):
        limit.admits(KIND, 0.0)
    assert list(limit.ended(0.0, every=True)) == [(KIND, 1)]


def test_the_number_of_kinds_is_bounded() -> None:
    limit = LogLimit()
    for number in range(MOST_KINDS + 1):
        for _ in range(LINES + 1):
            limit.admits((f"con_{number}", 401), 0.0)
    assert len(list(limit.ended(0.0, every=True))) == MOST_KINDS
