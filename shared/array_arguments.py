"""Decide by type which arguments of a statement are arrays. asyncpg itself checks against an abstract class, for each element of
an array too, which takes several times as long as encoding the element."""

from typing import Any

from asyncpg.protocol import protocol

ARRAYS = (list, tuple, set, frozenset)
"""The types that are encoded as arrays; others raise DataError. asyncpg itself accepts any iterable with a length except text."""


def recognise_arrays_by_type(module: Any = protocol) -> None:
    """Make asyncpg treat values of ARRAYS, and no others, as arrays in this process.

    It replaces a global name of its compiled `module`, which only the encoder of arrays uses (asyncpg/protocol/codecs/array.pyx).
    A version without that name stays as it is.
    """
    if hasattr(module, "IterableABC"):
        module.IterableABC = ARRAYS
