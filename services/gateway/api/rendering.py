"""A KPI's answer, which metrics gives as JSON, in the form that the caller asked for."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from services.gateway.domain.tables import as_csv, as_ndjson, kpi_table, records_table
from shared.problems import Unavailable

JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
MEDIA_TYPES = (JSON, CSV, NDJSON)


def rendered(content: bytes, media_type: str, path: str, query: str) -> tuple[bytes, dict[str, str]]:
    """The answer's body and the headers that belong to it. JSON passes as it is, byte for byte.

    In CSV and NDJSON a page of records has no place for its cursor, so it is in a `Link` to the next page.
    """
    if media_type == JSON:
        return content, {"Content-Type": JSON}
    answer = decoded(content)
    headers = {"Content-Type": media_type}
    if answer.get("next"):
        headers["Link"] = f'<{next_page(path, query, answer["next"])}>; rel="next"'
    if media_type == NDJSON:
        return as_ndjson(answer["records"] if "records" in answer else answer["rows"]), headers
    headers["Content-Type"] = "text/csv; charset=utf-8; header=present"
    if "records" in answer:
        return as_csv(records_table(answer)).encode(), headers
    params = parse_qsl(query)
    dims = [name for key, value in params if key == "group_by" for name in value.split(",") if name]
    comparisons = len({value for key, value in params if key == "compare"})
    return as_csv(kpi_table(answer, dims, comparisons)).encode(), headers


def decoded(content: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = msgspec.json.decode(content, type=dict)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics answered what is no JSON") from error
    return answer


def next_page(path: str, query: str, cursor: str) -> str:
    params = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "cursor"]
    return f"{path}?{urlencode([*params, ('cursor', cursor)])}"
