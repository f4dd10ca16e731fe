"""Logs that say the same over and over are thinned, ours never; errors tell where they came from, not what they quote."""

import logging
import sys

from shared.telemetry import MessageFreeFormatter, RepeatFilter, places_of


def record_of(name: str, message: str, *about: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "file", 1, message, about, None)


def test_a_repeated_message_of_a_library_is_logged_once() -> None:
    seldom = RepeatFilter("aiokafka", every=3600)
    passed = [seldom.filter(record_of("aiokafka.consumer.fetcher", "node %s is away", node)) for node in range(5)]
    assert passed == [True, False, False, False, False]
    assert seldom.filter(record_of("aiokafka.consumer.fetcher", "another trouble"))


def test_a_repeated_message_is_logged_again_after_a_while() -> None:
    seldom = RepeatFilter("aiokafka", every=0)
    assert [seldom.filter(record_of("aiokafka", "away")) for _ in range(3)] == [True, True, True]


def test_other_loggers_are_not_filtered() -> None:
    seldom = RepeatFilter("aiokafka", every=3600)
    assert all(seldom.filter(record_of(name, "away")) for name in ("uvicorn.error", "aiokafkaesque", "root") for _ in range(3))


class Refused(Exception):
    sqlstate = "23505"


def test_a_logged_error_has_the_places_and_types_of_its_chain_and_no_values() -> None:
    email = "jane@example.com"

    def insert() -> None:
        raise Refused(f"Key (email)=({email}) already exists.")

    try:
        try:
            insert()
        except Refused as error:
            raise ValueError(email) from error
    except ValueError:
        exc_info = sys.exc_info()
    record = logging.LogRecord("x", 40, "f", 1, "failed", (), exc_info)
    for output in (places_of(exc_info), MessageFreeFormatter("%(message)s").format(record)):
        assert email not in output
        assert "in insert" in output
        assert "Refused 23505" in output
        assert output.endswith("builtins.ValueError")


def test_a_suppressed_cause_is_not_logged() -> None:
    error = ValueError()
    error.__context__, error.__suppress_context__ = KeyError(), True
    assert places_of((ValueError, error, None)) == "builtins.ValueError"
