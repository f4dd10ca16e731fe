"""`/v1/imports`: import a file as a job. It is uploaded in parts, and read in the background once it is started."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.ingest.api.dependencies import Ingest, IngestState, Requester
from services.ingest.api.feedback import find_open_connection
from services.ingest.api.import_schemas import ImportPage, ImportPartList, ImportPartView, ImportView, NewImport, as_view
from services.ingest.api.paging import PAGE, Cursor, next_cursor, parse_number, upper_bound
from services.ingest.domain.connection import Connection
from services.ingest.domain.imports.job import Import, State
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.reading import CSV, formats_for
from services.ingest.store.imports import MAX_BYTES, MAX_OPEN, MAX_PART_BYTES, MAX_PARTS, Refusal, UploadedPart
from shared.bodies import headers_of, read_content
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import (
    BadRequest,
    Conflict,
    NotAuthenticated,
    NotFound,
    Problem,
    TooLarge,
    Unprocessable,
    UnsupportedMedia,
    responses,
)
from shared.routes import BODY_PROBLEMS, JsonBody, QueryChecked, TypedRoute
from shared.suggestions import refusal

routes = APIRouter(route_class=TypedRoute, tags=["imports"])

MAX_VALUES = 20_000
"""Values of a new import's body. A mapping of 200 questions has 1,000, and one more for each word in `values`."""

NO_IMPORT = "the import does not exist"
CSV_TYPE = "text/csv; charset=utf-8"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@routes.post(
    "/v1/imports",
    status_code=201,
    operation_id="create_import",
    summary="Create an import",
    responses=responses(NotAuthenticated, NotFound, Conflict, *BODY_PROBLEMS),
)
async def create_import(
    ingest: IngestState,
    response: Response,
    tenant: TenantName,
    requester: Requester,
    new: Annotated[NewImport, JsonBody(NewImport, max_values=MAX_VALUES)],
) -> ImportView:
    """Then upload the file in parts and start the import. A file that was imported before under the same mapping states nothing
    new: its records are `duplicate`. 409: the tenant has ten imports that are not done."""
    connection = await import_target(ingest, tenant, new.connection, new.format, new.mapping)
    mapping = new.mapping.model_dump(mode="json", exclude_unset=True) if new.mapping else None
    async with outage_is_503():
        job = await ingest.imports.create(tenant, connection.id, new.format, mapping, new.sha256, requester)
    if job is None:
        raise Conflict(f"{MAX_OPEN} imports are not done, which is the limit; cancel one, or retry when one is done")
    response.headers["Location"] = f"/v1/imports/{job.id}"
    return as_view(job, ingest.now())


@routes.get(
    "/v1/imports",
    operation_id="list_imports",
    summary="List the imports",
    responses=responses(BadRequest, NotAuthenticated),
)
async def list_imports(
    ingest: IngestState,
    tenant: TenantName,
    state: Annotated[State | None, Query(description="Only in this state")] = None,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=PAGE, description="Imports on a page")] = PAGE,
) -> ImportPage:
    """The newest first: those that are not done, and the last 1,000 that ended."""
    async with outage_is_503():
        jobs = await ingest.imports.page(tenant, upper_bound(cursor), limit, state)
    items = [as_view(job, ingest.now()) for job in jobs]
    return ImportPage(items=items, cursor=next_cursor([job.id for job in jobs], limit))


@routes.get(
    "/v1/imports/{number}",
    operation_id="get_import",
    summary="Get an import with its progress",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def get_import(ingest: IngestState, tenant: TenantName, number: str) -> ImportView:
    """`bytes_read` grows to `bytes`. KPIs count all records a little after the import is done, since its events are published
    after live ones."""
    return as_view(await load_import(ingest, tenant, number), ingest.now())


@routes.delete(
    "/v1/imports/{number}",
    operation_id="cancel_import",
    summary="Cancel an import",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def cancel_import(ingest: IngestState, tenant: TenantName, number: str) -> ImportView:
    """Ends it and deletes the uploaded parts. Records that are stored stay. An import that has ended is not changed."""
    async with outage_is_503():
        job = await ingest.imports.cancel(tenant, parse_number(number))
    if not isinstance(job, Import):
        raise NotFound(NO_IMPORT)
    return as_view(job, ingest.now())


async def read_part(request: Request, ingest: IngestState, tenant: TenantName, checked: QueryChecked) -> AsyncIterator[bytes]:
    """The content of a part. Its memory stays reserved until the request is answered."""
    with ingest.body_memory.reserve(tenant) as reservation:
        yield await read_content(headers_of(request.scope), request.receive, reservation, MAX_PART_BYTES)


read_part.body_content = {  # type: ignore[attr-defined]
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}


@routes.put(
    "/v1/imports/{number}/parts/{part}",
    operation_id="upload_import_part",
    summary="Upload a part of an import's file",
    responses=responses(BadRequest, NotAuthenticated, NotFound, Conflict, TooLarge, UnsupportedMedia, Unprocessable),
)
async def upload_part(
    ingest: IngestState,
    tenant: TenantName,
    number: str,
    part: Annotated[str, Path(description=f"The number of the part, 1 to {MAX_PARTS:,}", examples=["1"])],
    content: Annotated[bytes, Depends(read_part)],
) -> ImportPartView:
    """The file's bytes in order, cut anywhere, up to 8 MiB a part, in any order and any media type, also as gzip. The same
    content under the same number again changes nothing, so retry freely; 409 for another content. 413: the parts of the tenant's
    imports that are not done would exceed 4 GiB."""
    place = parse_part(part)
    if not content:
        raise Unprocessable("a part has at least one byte")
    async with outage_is_503():
        stored = await ingest.imports.add_part(tenant, parse_number(number), place, content)
    if not isinstance(stored, UploadedPart):
        raise problem_of_refusal(stored)
    return ImportPartView.model_validate(stored, from_attributes=True)


@routes.get(
    "/v1/imports/{number}/parts",
    operation_id="list_import_parts",
    summary="List the uploaded parts of an import's file",
    responses=responses(BadRequest, NotAuthenticated, NotFound),
)
async def list_parts(ingest: IngestState, tenant: TenantName, number: str) -> ImportPartList:
    """For a client that continues an upload."""
    job = await load_import(ingest, tenant, number)
    async with outage_is_503():
        parts = await ingest.imports.parts(job.id)
    return ImportPartList(parts=[ImportPartView.model_validate(part, from_attributes=True) for part in parts])


@routes.post(
    "/v1/imports/{number}:start",
    status_code=202,
    operation_id="start_import",
    summary="Start an import",
    responses=responses(BadRequest, NotAuthenticated, NotFound, Conflict),
)
async def start_import(ingest: IngestState, tenant: TenantName, number: str) -> ImportView:
    """The parts from 1 to the last one must be uploaded. Starting it again changes nothing."""
    async with outage_is_503():
        job = await ingest.imports.start(tenant, parse_number(number))
    if isinstance(job, int):
        raise Conflict(f"part {job} is not uploaded")
    if not isinstance(job, Import):
        raise problem_of_refusal(job)
    ingest.wake_importer()
    return as_view(job, ingest.now())


@routes.get(
    "/v1/imports/{number}/errors",
    operation_id="list_import_errors",
    summary="Get the rejected records of an import as CSV",
    response_class=Response,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "Columns: line, field, reason"},
        **responses(BadRequest, NotAuthenticated, NotFound),
    },
)
async def list_errors(ingest: IngestState, tenant: TenantName, number: str) -> Response:
    """A row for each place that is wrong, up to five of a record, of the first 10,000 rejected records. `line` is the line of the
    file in which the record begins. Values are never quoted."""
    job = await load_import(ingest, tenant, number)
    async with outage_is_503():
        errors = await ingest.imports.errors(job.id)
    return Response(render_csv([("line", "field", "reason"), *errors]), media_type=CSV_TYPE)


def render_csv(rows: list[tuple[Any, ...]]) -> str:
    """Rows as CSV. A text that a spreadsheet would take for a formula gets a quotation mark in front."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


async def import_target(
    ingest: Ingest, tenant: str, connection: str | None, file_format: str, mapping: CsvMapping | None
) -> Connection:
    """The connection to import into. Raises NotFound if it does not exist, Unprocessable if the format does not fit it."""
    async with outage_is_503():
        target = await find_open_connection(ingest, tenant, connection)
    if target is None:
        raise NotFound("the connection does not exist")
    formats = formats_for(target.provider)
    if file_format not in formats:
        raise Unprocessable(
            invalid_params=[{"name": "format", "reason": refusal("can't be imported into this connection", file_format, formats)}]
        )
    if (file_format == CSV) != (mapping is not None):
        reason = "is required: POST /v1/imports:propose returns one" if file_format == CSV else "belongs to csv alone"
        raise Unprocessable(invalid_params=[{"name": "mapping", "reason": reason}])
    return target


async def load_import(ingest: Ingest, tenant: str, number: str) -> Import:
    """The tenant's import. Raises NotFound if it has none with this id."""
    async with outage_is_503():
        job = await ingest.imports.find(tenant, parse_number(number))
    if job is None:
        raise NotFound(NO_IMPORT)
    return job


def problem_of_refusal(refusal: Refusal) -> Problem:
    """The problem of an import that can't be continued."""
    match refusal:
        case "missing":
            return NotFound(NO_IMPORT)
        case "other_content":
            return Conflict("this part was uploaded with another content; cancel the import and create another one")
        case "too_many_bytes":
            return TooLarge(f"the parts of the tenant's imports that are not done would have more than {MAX_BYTES} bytes")
        case _:
            return Conflict("the import is no longer being uploaded")


def parse_part(text: str) -> int:
    """The number of a part. Raises BadRequest if `text` is not one."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PARTS):
        raise BadRequest(invalid_params=[{"name": "part", "reason": f"must be a whole number from 1 to {MAX_PARTS}"}])
    return int(text)
