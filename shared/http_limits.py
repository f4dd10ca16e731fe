"""The limits on HTTP requests that shared/heads.py enforces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of a connection and of the process. The defaults are those of the settings."""

    head_bytes: int = 32 * 1024
    """Target, header names and header values of one request, trailers included."""
    headers: int = 100
    """Headers of one request, trailers included."""
    head_seconds: float = 10.0
    """From the opening of a connection, or the first byte of a later request, to the end of the head."""
    body_seconds: float = 30.0
    """For an empty body; each received byte adds time at `body_bytes_per_second`."""
    body_bytes_per_second: int = 16 * 1024
    small_parts: int = 10_000
    part_bytes: int = 16
    """A body of more than `small_parts` parts (chunks or packets) must have this many bytes per part on average."""
    unread_seconds: float = 30.0
    """A client with unread response data must read at least `unread_bytes` of it in this time."""
    unread_bytes: int = 16 * 1024
    pipelined: int = 16
    """Requests of one connection that may wait for the response to an earlier one."""
    requests: int = 1000
    """Requests in progress in this process; health checks are always served."""
    connections: int = 1500
    """Open connections of this process. Up to twice as many get 503; more are closed at once."""
