"""Standard Webhooks: signatures and secrets. The vector is that of the specification's own libraries."""

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


def test_the_published_vector_is_verified() -> None:
    verify(HEADERS, BODY, [SECRET], SENT)
    verify(HEADERS, BODY, [SECRET.removeprefix("whsec_")], SENT)


def test_one_right_signature_in_the_list_is_enough() -> None:
    several = f"v1a,abc {WRONG} v2,{HEADERS['webhook-signature'][3:]} {HEADERS['webhook-signature']} {WRONG}"
    verify(HEADERS | {"webhook-signature": several}, BODY, [SECRET], SENT)


def test_both_secrets_of_a_rotation_are_valid() -> None:
    verify(HEADERS, BODY, [PROVIDER.new_secret(bytes(32)), SECRET], SENT)


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr"])
def test_secrets_without_padding_are_valid(secret: str) -> None:
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
def test_other_headers_are_refused(changed: dict[str, str]) -> None:
    with pytest.raises(NotVerified):
        verify(HEADERS | changed, BODY, [SECRET], SENT)


def test_a_changed_body_and_a_missing_secret_are_refused() -> None:
    with pytest.raises(NotVerified):
        verify(HEADERS, BODY + b" ", [SECRET], SENT)
    with pytest.raises(NotVerified):
        verify(HEADERS, BODY, [], SENT)
    with pytest.raises(NotVerified):
        verify({}, BODY, [SECRET], SENT)


@pytest.mark.parametrize("offset", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_timestamp_may_be_five_minutes_off_and_no_more(offset: timedelta) -> None:
    verify(HEADERS, BODY, [SECRET], SENT + offset)
    with pytest.raises(NotVerified, match="timestamp"):
        verify(HEADERS, BODY, [SECRET], SENT + offset * 1.01)


def test_a_delivery_id_outside_latin_1_is_refused() -> None:
    with pytest.raises(NotVerified, match="the signature is wrong"):
        verify(HEADERS | {"webhook-id": "\u20ac"}, BODY, [SECRET], SENT)


def test_a_refusal_names_the_headers_that_are_needed() -> None:
    text = "webhook-id, webhook-timestamp and webhook-signature, or the same names with svix-, are needed"
    with pytest.raises(NotVerified, match=f"^{text}$"):
        verify({}, BODY, [SECRET], SENT)
    assert parse(b'{"type": "x"}').problem == "the body is not an object with the record in `data`"


def test_a_binary_body_is_verified() -> None:
    body = b"\xff\x00\xfe"
    verify(signing.standard(SECRET, body, at=SENT.timestamp()), body, [SECRET], SENT)


def test_a_new_secret_is_usable_and_a_weak_one_is_refused() -> None:
    assert PROVIDER.refuse_secret(PROVIDER.new_secret(bytes(32))) is None
    for secret in ("", "whsec_", "whsec_!!!", "whsec_" + "A" * 8, "A" * 32, "whsec_ü", "whsec_" + "A" * 40 + "!!!!"):
        assert PROVIDER.refuse_secret(secret), secret


def test_the_record_is_in_data_and_the_delivery_id_is_the_webhooks() -> None:
    parsed = parse(b'{"type": "x", "data": {"type": "response"}}', headers=HEADERS)
    assert (parsed.id, list(parsed.records), parsed.problem) == (HEADERS["webhook-id"], [{"type": "response"}], None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"type": "x"}', b'"data"'])
def test_a_body_without_a_record_is_a_problem_with_its_delivery_id(body: bytes) -> None:
    parsed = parse(body, headers=HEADERS)
    assert parsed.id == HEADERS["webhook-id"]
    assert parsed.problem


SVIX = {name.replace("webhook", "svix"): value for name, value in HEADERS.items()}


def test_the_headers_of_svix_are_aliases() -> None:
    verify(SVIX, BODY, [SECRET], SENT)
    assert parse(b'{"data": {}}', headers=SVIX).id == HEADERS["webhook-id"]
    assert {"svix-id", "svix-timestamp"} <= {*PROVIDER.stored_headers}


def test_the_id_of_a_delivery_is_the_one_that_was_verified() -> None:
    both = SVIX | {"webhook-id": "msg_forged"}
    with pytest.raises(NotVerified):
        verify(both, BODY, [SECRET], SENT)
    signed = HEADERS | {"svix-id": "msg_forged"}
    verify(signed, BODY, [SECRET], SENT)
    assert parse(b'{"data": {}}', headers=signed).id == HEADERS["webhook-id"]
