"""Leases of work: one process at a time has a row, and what it stores after another one claimed the row is refused."""


class LeaseLost(Exception):
    """Another process has continued the work, or the work was cancelled or is done. Nothing was stored."""
