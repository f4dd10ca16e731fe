"""Which arguments of a statement are arrays. asyncpg asks abstract classes, also whether each element is an array itself, which
takes several times as long as to encode the element."""

from typing import Any

from asyncpg.protocol import protocol

ARRAYS = (list, tuple, set, frozenset)
"""The types that are arrays. asyncpg takes any iterable with a length, but text, for one; another type is a DataError here."""


def recognise_arrays_by_type(module: Any = protocol) -> None:
    """Let asyncpg, in this process, take ARRAYS for arrays and nothing else.

    It replaces a global name of its compiled `module`, which only the encoder of arrays uses (asyncpg/protocol/codecs/array.pyx).
    A version without that name stays as it is.
    """
    if hasattr(module, "IterableABC"):
        module.IterableABC = ARRAYS
