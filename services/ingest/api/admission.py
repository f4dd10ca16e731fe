"""Shares the requests that a process may have in progress between connections, so that one noisy tool does not starve others."""

from collections import Counter
from types import TracebackType

from shared.problems import Unavailable

RETRY_AFTER_SECONDS = 2


class Admission:
    """Counts the webhooks in progress, by connection.

    Nine tenths of `limit` are shared: a connection may have twice as many in progress as are free (Choudhury and Hahne 1998,
    dynamic thresholds), so one alone may use 60 % of `limit`. A connection that has none is always admitted.
    """

    def __init__(self, limit: int) -> None:
        self._shared = limit * 9 // 10
        self._in_progress: Counter[str] = Counter()
        self._total = 0

    def admit(self, connection: str) -> "Admitted":
        """Count one more webhook until the end of the returned context. Raises Unavailable if the connection has too many."""
        own = self._in_progress[connection]
        if own > 0 and own >= 2 * (self._shared - self._total):
            detail = "this connection has too many requests in progress"
            raise Unavailable(detail, retry_after=RETRY_AFTER_SECONDS)
        self._in_progress[connection] = own + 1
        self._total += 1
        return Admitted(self, connection)

    def leave(self, connection: str) -> None:
        """Count one webhook less."""
        self._total -= 1
        own = self._in_progress[connection] - 1
        if own:
            self._in_progress[connection] = own
        else:
            del self._in_progress[connection]


class Admitted:
    """The context of one webhook in progress."""

    __slots__ = ("_admission", "_connection")

    def __init__(self, admission: Admission, connection: str) -> None:
        self._admission = admission
        self._connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._admission.leave(self._connection)
