"""Every line of a process is one JSON object; repeated messages of a library are thinned; errors are logged without messages."""

import json
import logging
import subprocess
import sys

from shared.telemetry import RepeatFilter, places_of

PROCESS = """
import asyncio, logging, sys, threading, warnings
from shared.telemetry import configure_logging, log_loop_error

configure_logging("ingest", "INFO", "json")
logging.getLogger("uvicorn.error").warning("Invalid HTTP request %s", "received")
logging.getLogger("aiokafka").error("%d nodes", "many")
warnings.warn("old", RuntimeWarning)

def fail():
    raise ValueError(sys.argv[1])

thread = threading.Thread(target=fail)
thread.start()
thread.join()

class Broken:
    def __del__(self):
        fail()

Broken()

async def fail_later():
    fail()

async def main():
    asyncio.get_running_loop().set_exception_handler(log_loop_error)
    asyncio.create_task(fail_later(), name="relay")
    await asyncio.sleep(0)

asyncio.run(main())
try:
    fail()
except ValueError:
    logging.getLogger("alembic").exception("failed")
fail()
"""


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
    output = places_of(exc_info)
    assert email not in output
    assert "in insert" in output
    assert "Refused 23505" in output
    assert output.endswith("builtins.ValueError")


def test_a_suppressed_cause_is_not_logged() -> None:
    error = ValueError()
    error.__context__, error.__suppress_context__ = KeyError(), True
    assert places_of((ValueError, error, None)) == "builtins.ValueError"


def test_whatever_goes_wrong_is_one_json_line_without_values() -> None:
    process = subprocess.run([sys.executable, "-c", PROCESS, "jane@example.com"], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    events = [line["event"].splitlines()[0] for line in lines]  # since Python 3.13 a warning quotes the line of the program
    levels = [(line["level"], line.get("logger")) for line in lines]
    assert [(event.partition(": ")[2] or event, *level) for event, level in zip(events, levels, strict=True)] == [
        ("Invalid HTTP request received", "warning", "uvicorn.error"),
        ("%d nodes", "error", "aiokafka"),
        ("RuntimeWarning: old", "warning", "py.warnings"),
        ("error.uncaught", "critical", None),
        ("error.uncaught", "critical", None),
        ("asyncio.error", "error", None),
        ("failed", "error", "alembic"),
        ("error.uncaught", "critical", None),
    ]
    assert {line["service"] for line in lines} == {"ingest"}
    assert [line["exception"].splitlines()[-1] for line in lines if "exception" in line] == ["builtins.ValueError"] * 5
    assert (process.returncode, process.stdout) == (1, "")
    assert "jane" not in process.stderr
