"""The content of a frozen subject: its statements and scores, compressed into one row of `frozen_subjects`."""

import zlib
from collections.abc import Iterable, Mapping

import msgspec

from services.metrics.store.frozen_dictionary import DICTIONARIES, LATEST
from shared.events import Event, Score, decode_event, encode

LEVEL = 6


class Content(msgspec.Struct, array_like=True, frozen=True):
    """Statements, and scores each after its model, as the JSON that `statements` and `scores` hold."""

    statements: list[msgspec.Raw]
    scores: list[tuple[str, msgspec.Raw]]


decode_content = msgspec.json.Decoder(Content).decode
decode_score = msgspec.json.Decoder(Score).decode


def pack(statements: Iterable[Event], scores: Mapping[tuple[str, str], bytes]) -> tuple[int, bytes]:
    """The number of the dictionary, and the compressed statements and scores. Scores are by model and the hash of their text."""
    content = Content(
        [msgspec.Raw(encode(event)) for event in statements],
        [(model, msgspec.Raw(body)) for (model, _), body in scores.items()],
    )
    compressor = zlib.compressobj(LEVEL, zdict=DICTIONARIES[LATEST])
    return LATEST, compressor.compress(msgspec.json.encode(content)) + compressor.flush()


def unpack(dictionary: int, body: bytes) -> tuple[dict[str, Event], dict[tuple[str, str], bytes]]:
    """The statements by their ids, and the scores by model and the hash of their text. Raises zlib.error if `body` is damaged."""
    decompressor = zlib.decompressobj(zdict=DICTIONARIES[dictionary])
    text = decompressor.decompress(body) + decompressor.flush()
    if not decompressor.eof:
        raise zlib.error("the content of a frozen subject is truncated")
    content = decode_content(text)
    events = [decode_event(bytes(statement)) for statement in content.statements]
    scores = {(model, decode_score(score).text_hash): bytes(score) for model, score in content.scores}
    return {event.statement: event for event in events}, scores
