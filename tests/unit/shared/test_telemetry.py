"""Logs that say the same over and over are thinned, ours never."""

import logging

from shared.telemetry import Seldom


def said(name: str, message: str, *about: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "file", 1, message, about, None)


def test_a_noisy_librarys_message_comes_through_once_whatever_it_is_about() -> None:
    seldom = Seldom("aiokafka", every=3600)
    heard = [seldom.filter(said("aiokafka.consumer.fetcher", "node %s is away", node)) for node in range(5)]
    assert heard == [True, False, False, False, False]
    assert seldom.filter(said("aiokafka.consumer.fetcher", "another trouble"))


def test_it_comes_through_again_after_a_while() -> None:
    seldom = Seldom("aiokafka", every=0)
    assert [seldom.filter(said("aiokafka", "away")) for _ in range(3)] == [True, True, True]


def test_other_loggers_are_left_alone() -> None:
    seldom = Seldom("aiokafka", every=3600)
    assert all(seldom.filter(said(name, "away")) for name in ("uvicorn.error", "aiokafkaesque", "root") for _ in range(3))
