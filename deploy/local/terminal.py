"""The output of `make run`: a line for each finished step, and one for the current step."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape


class Terminal:
    """Lines on standard output.

    A terminal shows the current step in a line that is replaced. Without a terminal, a step is printed when it begins, and its
    progress (the text after a colon) every PROGRESS_SECONDS.
    """

    PROGRESS_SECONDS = 5.0

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._status = self._console.status("starting")
        self._last = ""
        self._printed_at = 0.0
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def doing(self, text: str) -> None:
        """Show the current step; the next call replaces it."""
        if self._console.is_terminal:
            self._status.start()
            self._status.update(escape(text))
        elif self._is_news(text):
            self._console.print(f"  … {text}", markup=False)
            self._printed_at = time.monotonic()
        self._last = text

    def _is_news(self, text: str) -> bool:
        if text.partition(":")[0] != self._last.partition(":")[0]:
            return True
        return text != self._last and time.monotonic() - self._printed_at >= self.PROGRESS_SECONDS

    def done(self, text: str) -> None:
        """Print a finished step."""
        self._console.print(f"  [green]✓[/] {escape(text)} [dim]{self.elapsed:.1f} s[/]")

    def note(self, text: str) -> None:
        """Print an event, such as a restart."""
        self._console.print(f"  [yellow]![/] {escape(text)}")

    def failed(self, why: str) -> None:
        """Print why the stack can't run, and remove the current step."""
        self._status.stop()
        self._console.print(f"[red]Earshot can't run:[/] {escape(why)}")

    def say(self, markup: str = "") -> None:
        """Print a line, and remove the current step."""
        self._status.stop()
        self._console.print(markup)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._status.stop()
