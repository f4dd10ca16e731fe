"""Forms, urlencoded and multipart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.providers.forms import MAX_FORM_FIELDS, parse_form
from services.ingest.domain.providers.payload import Unusable
from tests.unit.ingest.making import request

MULTIPART = {"content-type": "multipart/form-data; boundary=xx"}


def part(name: str, value: bytes, disposition: str = "") -> bytes:
    return b"--xx\r\nContent-Disposition: form-data; name=%s%s\r\n\r\n%s\r\n" % (name.encode(), disposition.encode(), value)


def urlencoded(body: bytes) -> dict[str, str]:
    return parse_form(request(body, {"content-type": "application/x-www-form-urlencoded"}))


def multipart(body: bytes, headers: dict[str, str] | None = None) -> dict[str, str]:
    return parse_form(request(body, headers or MULTIPART))


def test_an_urlencoded_form_is_decoded() -> None:
    assert urlencoded(b"a=1&b=x+y%26z&c=&d=%C3%A9&a=2") == {"a": "2", "b": "x y&z", "c": "", "d": "é"}
    assert urlencoded("a=é".encode()) == {"a": "é"}


@pytest.mark.parametrize("body", [b"a=%ff", b"a=\xff"])
def test_an_urlencoded_form_that_is_not_utf_8_is_unusable(body: bytes) -> None:
    with pytest.raises(Unusable, match="not UTF-8"):
        urlencoded(body)


def test_a_multipart_form_is_read_without_its_files() -> None:
    body = (
        part('"formID"', b"123")
        + part('"rawRequest"', '{"q1": "gr\u00fcn\r\n--x"}'.encode())
        + part('"upload"', b"\x00\xff", '; filename="a.png"')
        + b'--xx\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name="later"\r\n\r\n\r\n'
        + part('"formID"', b"124")
        + b"--xx--\r\n"
    )
    assert multipart(body) == {"formID": "124", "rawRequest": '{"q1": "gr\u00fcn\r\n--x"}', "later": ""}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (part('"a"', b"1") + b"--xx--", {"content-type": "multipart/form-data"}),
        (part('"a"', b"1") + b"--xx--", {"content-type": "multipart/form-data; boundary="}),
        (part('"a"', b"1") + b"--xx--", {"content-type": f"multipart/form-data; boundary={'x' * 2000}"}),
        (part('"a"', b"1") + b"--yy--", MULTIPART),
        (part('"a"', b"1"), MULTIPART),
        (part('"a"', b"\xff") + b"--xx--", MULTIPART),
        (b"", MULTIPART),
        (b"a=1", MULTIPART),
    ],
)
def test_a_broken_multipart_form_is_unusable(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Unusable):
        multipart(body, headers)


def test_the_number_of_fields_is_bounded() -> None:
    most = b"&".join(b"f%d=1" % n for n in range(MAX_FORM_FIELDS))
    assert len(urlencoded(most)) == MAX_FORM_FIELDS
    parts = b"".join(part(f'"f{n}"', b"1") for n in range(MAX_FORM_FIELDS))
    assert len(multipart(parts + b"--xx--")) == MAX_FORM_FIELDS
    for read, body in ((urlencoded, most + b"&x=1"), (multipart, parts + part('"x"', b"1") + b"--xx--")):
        with pytest.raises(Unusable, match="at most 1000 fields"):
            read(body)


@given(st.binary(max_size=200), st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]))
def test_no_body_raises_anything_but_unusable(body: bytes, content_type: str) -> None:
    for prefix in (b"", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'):
        try:
            parse_form(request(prefix + body, {"content-type": content_type}))
        except Unusable as error:
            assert str(error)  # noqa: PT017
