"""Standard Webhooks: who is let in. The vector is the specification's own, printed in the libraries' tests."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.domain.connection import FieldMapping
from services.ingest.domain.providers import PROVIDERS, NotVerified, Parsed
from tests import signing
from tests.unit.ingest.making import request

PROVIDER = PROVIDERS["standard"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SENT = datetime.fromtimestamp(1614265330, UTC)
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
WRONG = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="


def verify(headers: dict[str, str], body: bytes, secrets: list[str], now: datetime) -> None:
    PROVIDER.verify(request(body, headers), secrets, now)


def parse(body: bytes, mapping: FieldMapping | None = None, headers: dict[str, str] | None = None) -> Parsed:
    return PROVIDER.parse(request(body, headers), mapping or FieldMapping())


def test_the_published_vector_is_let_in() -> None:
    verify(HEADERS, BODY, [SECRET], SENT)
    verify(HEADERS, BODY, [SECRET.removeprefix("whsec_")], SENT)


def test_any_right_signature_in_the_list_will_do() -> None:
    several = f"v1a,abc {WRONG} v2,{HEADERS['webhook-signature'][3:]} {HEADERS['webhook-signature']} {WRONG}"
    verify(HEADERS | {"webhook-signature": several}, BODY, [SECRET], SENT)


def test_either_secret_of_a_rotation_will_do() -> None:
    verify(HEADERS, BODY, [PROVIDER.new_secret(bytes(32)), SECRET], SENT)


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"])
def test_secrets_without_their_padding_are_read(secret: str) -> None:
    headers = signing.standard(secret, BODY, at=SENT.timestamp())
    verify(headers, BODY, [secret], SENT)
    assert PROVIDER.refuse_secret(secret) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": WRONG},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,ü"},
        {"webhook-signature": "v2," + HEADERS["webhook-signature"][3:]},
        {"webhook-signature": "," * 5000},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "1614265330.5"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 30},
    ],
)
def test_anything_else_stays_outside(changed: dict[str, str]) -> None:
    with pytest.raises(NotVerified):
        verify(HEADERS | changed, BODY, [SECRET], SENT)


def test_a_changed_body_and_no_secret_stay_outside() -> None:
    with pytest.raises(NotVerified):
        verify(HEADERS, BODY + b" ", [SECRET], SENT)
    with pytest.raises(NotVerified):
        verify(HEADERS, BODY, [], SENT)
    with pytest.raises(NotVerified):
        verify({}, BODY, [SECRET], SENT)


@pytest.mark.parametrize("away", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_five_minutes_both_ways_are_tolerated_and_not_a_second_more(away: timedelta) -> None:
    verify(HEADERS, BODY, [SECRET], SENT + away)
    with pytest.raises(NotVerified, match="timestamp"):
        verify(HEADERS, BODY, [SECRET], SENT + away * 1.01)


def test_a_body_that_is_no_text_is_verified_as_bytes() -> None:
    body = b"\xff\x00\xfe"
    verify(signing.standard(SECRET, body, at=SENT.timestamp()), body, [SECRET], SENT)


def test_a_made_secret_can_be_used_and_a_weak_one_cannot() -> None:
    assert PROVIDER.refuse_secret(PROVIDER.new_secret(bytes(32))) is None
    for secret in ("", "whsec_", "whsec_!!!", "whsec_" + "A" * 8, "A" * 32, "whsec_ü"):
        assert PROVIDER.refuse_secret(secret), secret


def test_the_record_is_data_and_the_delivery_goes_by_the_webhooks_id() -> None:
    parsed = parse(b'{"type": "x", "data": {"type": "response"}}', headers=HEADERS)
    assert (parsed.id, list(parsed.records), parsed.problem) == (HEADERS["webhook-id"], [{"type": "response"}], None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"type": "x"}', b'"data"'])
def test_what_has_no_record_is_a_problem_that_keeps_its_id(body: bytes) -> None:
    parsed = parse(body, headers=HEADERS)
    assert parsed.id == HEADERS["webhook-id"]
    assert parsed.problem
