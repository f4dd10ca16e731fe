"""Read forms, urlencoded or multipart, and bodies that are a form or JSON."""

from typing import Any
from urllib.parse import parse_qsl

from python_multipart.multipart import MultipartParser, parse_options_header

from services.ingest.domain.providers.payload import Unusable, parse_object
from services.ingest.domain.providers.provider import Request

MAX_FORM_FIELDS = 1000


def parse_form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded or multipart form. Of a repeated field the last value counts. Files are left out.

    Raises Unusable if the body is no form in UTF-8, or has more than MAX_FORM_FIELDS fields.
    """
    try:
        if request.body_type == "multipart":
            return {name.decode(): value.decode() for name, value in _multipart_fields(request).items()}
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS))
    except UnicodeError:
        raise Unusable("the form is not UTF-8", "malformed_body") from None
    except ValueError:
        raise Unusable(f"the body is no form of at most {MAX_FORM_FIELDS} fields", "malformed_body") from None


def parse_fields(request: Request) -> dict[str, Any]:
    """The fields of a form, or of a JSON object if `Content-Type` states no form. Raises Unusable if the body is neither."""
    return dict(parse_form(request)) if request.body_type in ("form", "multipart") else parse_object(request.body)


def _multipart_fields(request: Request) -> dict[bytes, bytes]:
    """Raises ValueError if the body is not multipart, or has too many parts."""
    _, options = parse_options_header(request.headers.get("content-type"))
    if not options.get(b"boundary"):
        raise ValueError("no boundary")
    parts = _Parts()
    parser = MultipartParser(options[b"boundary"], parts.callbacks())
    parser.write(request.body)
    parser.finalize()
    if not parts.ended:
        raise ValueError("no final boundary")
    return parts.fields


class _Parts:
    """Collects the fields of a multipart body from the parser's callbacks."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.ended = False
        self._count = 0
        self._header = b""
        self._header_value = b""
        self._disposition = b""
        self._data: list[bytes] = []

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._add_header,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_FORM_FIELDS:
            raise ValueError("too many parts")
        self._disposition = b""
        self._data = []

    def _add_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header = self._header_value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _end_part(self) -> None:
        _, options = parse_options_header(self._disposition.decode("latin-1"))
        if b"name" in options and b"filename" not in options:
            self.fields[options[b"name"]] = b"".join(self._data)

    def _end(self) -> None:
        self.ended = True
