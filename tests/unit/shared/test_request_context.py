"""Request ids and traces: which headers are valid, and how they reach Kafka records and log lines."""

import pytest

from shared.request_context import (
    MAX_LOGGED,
    RequestContext,
    add_to_log,
    bound,
    common_context,
    current_context,
    parse_http_headers,
    parse_record_headers,
    record_headers,
    request_ids,
)

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CONTEXT = RequestContext("order-4711", TRACE)


def http(request_id: bytes | None = None, traceparent: bytes | None = None) -> RequestContext:
    headers = [(b"x-request-id", request_id), (b"traceparent", traceparent), (b"host", b"here")]
    return parse_http_headers([(name, value) for name, value in headers if value is not None])


@pytest.mark.parametrize("request_id", ["a", "order-4711", "4f9e:1.2_x", "x" * 128])
def test_a_callers_request_id_is_used(request_id: str) -> None:
    assert http(request_id.encode()).request_id == request_id


@pytest.mark.parametrize("request_id", [None, b"", b"x" * 129, b"two words", b"a\nb", b'{"a":1}', "größe".encode()])
def test_a_missing_or_invalid_request_id_is_replaced_by_a_new_one(request_id: bytes | None) -> None:
    first, second = http(request_id).request_id, http(request_id).request_id
    assert len(first) == len(second) == 32
    assert first != second


def test_a_callers_trace_is_continued() -> None:
    context = http(traceparent=TRACE.encode())
    assert (context.traceparent, context.trace_id) == (TRACE, "4bf92f3577b34da6a3ce929d0e0e4736")


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "00-trace",
        f"ff{TRACE[2:]}",
        TRACE.upper(),
        f"{TRACE}-more",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_an_invalid_trace_is_dropped(traceparent: str) -> None:
    assert http(traceparent=traceparent.encode()).traceparent == ""


@pytest.mark.parametrize("context", [CONTEXT, RequestContext("order-4711")])
def test_a_context_is_written_to_the_headers_of_a_record_and_read_from_them(context: RequestContext) -> None:
    assert parse_record_headers((("received_at", b"now"), *record_headers(context))) == context


def test_a_record_without_a_request_has_no_context() -> None:
    assert record_headers(None) == ()
    assert parse_record_headers((("received_at", b"now"),)) is None


def test_log_lines_have_the_request_id_and_the_trace_id_of_the_current_context() -> None:
    with bound(CONTEXT):
        assert current_context() == CONTEXT
        event = add_to_log(None, "info", {"event": "x"})
    assert event == {"event": "x", "request_id": "order-4711", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert add_to_log(None, "info", {"event": "x"}) == {"event": "x"}


def test_records_of_one_request_share_its_context_and_others_share_none() -> None:
    other = RequestContext("order-4712")
    assert common_context([CONTEXT, CONTEXT]) == CONTEXT
    assert common_context([CONTEXT, other]) is None
    assert common_context([CONTEXT, None]) is None
    assert request_ids([CONTEXT, None, other, CONTEXT]) == ["order-4711", "order-4712"]


def test_a_log_line_lists_a_bounded_number_of_request_ids() -> None:
    assert len(request_ids([RequestContext(str(number)) for number in range(2 * MAX_LOGGED)])) == MAX_LOGGED
