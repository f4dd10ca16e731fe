"""Without a terminal the output of `make run` is a line for each step, and progress now and then."""

import pytest

from deploy.local.terminal import Terminal


def test_progress_of_a_step_is_printed_at_intervals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "PROGRESS_SECONDS", 1_000.0)
    with Terminal() as terminal:
        for n in range(50):
            terminal.doing(f"loading the history: {n} of 50")
        terminal.doing("starting the services")
        terminal.doing("starting the services")
        terminal.doing("loading the history: 50 of 50")
    lines = [line.strip(" …") for line in capsys.readouterr().out.splitlines()]
    assert lines == ["loading the history: 0 of 50", "starting the services", "loading the history: 50 of 50"]


def test_progress_is_printed_after_its_interval(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Terminal, "PROGRESS_SECONDS", 0.0)
    with Terminal() as terminal:
        for n in (1, 2, 2):
            terminal.doing(f"downloading: {n} of 2")
    assert len(capsys.readouterr().out.splitlines()) == 2
