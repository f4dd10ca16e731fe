"""`/v1/imports:propose` and `:dry-run`: look at a sample of a file before it is imported. Nothing is stored."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import ValidationError

from services.ingest.api.dependencies import Ingest, IngestState
from services.ingest.api.import_schemas import (
    DimensionCount,
    ImportFault,
    ImportNote,
    ImportSample,
    ImportTrial,
    ImportTrialResult,
    ProposedImportMapping,
    QuestionCount,
)
from services.ingest.api.imports import import_target
from services.ingest.domain.connection import Connection
from services.ingest.domain.imports.dry_run import SampleSummary, summarise
from services.ingest.domain.imports.lines import START, read_lines
from services.ingest.domain.imports.mapping import CsvMapping
from services.ingest.domain.imports.propose import Undecidable, propose
from services.ingest.domain.imports.reading import RowReader, header_of
from services.ingest.domain.imports.rows import Unreadable
from shared.bodies import MIB
from shared.database import outage_is_503
from shared.http import TenantName
from shared.problems import NotAuthenticated, NotFound, Unprocessable, responses
from shared.routes import BODY_PROBLEMS, JsonBody, TypedRoute

routes = APIRouter(route_class=TypedRoute, tags=["imports"])

SAMPLE_BYTES = MIB
MAX_BODY_BYTES = 2 * MIB
"""A sample as a JSON string, whose quotation marks are escaped, with a mapping."""
MAX_VALUES = 20_000
MOST_FREQUENT = 10


@routes.post(
    "/v1/imports:propose",
    operation_id="propose_import_mapping",
    summary="Propose the mapping of a CSV file",
    responses=responses(NotAuthenticated, *BODY_PROBLEMS),
)
async def propose_mapping(
    ingest: IngestState, tenant: TenantName, body: Annotated[ImportSample, JsonBody(ImportSample, max_bytes=MAX_BODY_BYTES)]
) -> ProposedImportMapping:
    """Looks at the names of the columns and at up to 500 rows. Check the proposal, and settle its `notes`. A column is
    never proposed as NPS only because it has numbers from 0 to 10."""
    check_size(body.sample)
    try:
        proposal = await ingest.threads.run(tenant, lambda: propose(body.sample))
    except Undecidable as error:
        raise Unprocessable(invalid_params=[{"name": "sample", "reason": str(error)}]) from None
    return ProposedImportMapping(
        mapping=proposal.mapping,
        complete=is_complete(proposal.mapping),
        notes=[ImportNote(**asdict(note)) for note in proposal.notes],
        left_out=proposal.left_out,
        rows=proposal.rows,
    )


@routes.post(
    "/v1/imports:dry-run",
    operation_id="try_import",
    summary="Read a sample of a file as an import would",
    responses=responses(NotAuthenticated, NotFound, *BODY_PROBLEMS),
)
async def dry_run(
    ingest: IngestState,
    tenant: TenantName,
    body: Annotated[ImportTrial, JsonBody(ImportTrial, max_bytes=MAX_BODY_BYTES, max_values=MAX_VALUES)],
) -> ImportTrialResult:
    """Stores nothing. `faults` say where records would be rejected; the first `records` are redacted as for `:test`."""
    check_size(body.sample)
    connection = await import_target(ingest, tenant, body.connection, body.format, body.mapping)
    try:
        summary = await ingest.threads.run(tenant, lambda: read_sample(ingest, connection, body))
    except Unreadable as error:
        raise Unprocessable(invalid_params=[{"name": "sample", "reason": str(error)}]) from None
    async with outage_is_503():
        known = await ingest.imports.known_subjects(tenant, sorted({*summary.subjects}))
    return as_result(summary, known)


def check_size(sample: str) -> None:
    """Raise Unprocessable for a sample of more than SAMPLE_BYTES."""
    if len(sample.encode()) > SAMPLE_BYTES:
        raise Unprocessable(invalid_params=[{"name": "sample", "reason": f"has more than {SAMPLE_BYTES} bytes"}])


def is_complete(mapping: dict[str, object]) -> bool:
    """Whether a proposed mapping can be used as it is."""
    try:
        CsvMapping.model_validate(mapping)
    except ValidationError:
        return False
    return True


def read_sample(ingest: Ingest, connection: Connection, body: ImportTrial) -> SampleSummary:
    """The summary of a sample. Raises Unreadable."""
    mapping = body.mapping
    if mapping is not None:
        mapping = mapping.model_copy(update={"encoding": "utf-8"})  # JSON is text already
    content = body.sample.encode()
    parts = {1: content}
    header, begin = header_of(read_lines(parts.get), mapping) if mapping else ((), START)
    reader = RowReader(connection, body.format, mapping, header, "sample", ingest.now)
    return summarise(connection, reader.rows(read_lines(parts.get, begin), begin))


def as_result(summary: SampleSummary, known: dict[str, bool]) -> ImportTrialResult:
    """The summary as the API returns it. `known`: the stored subjects, and whether they are erased."""
    different = {*summary.subjects}
    erased = sum(known.get(subject, False) for subject in summary.subjects)
    new = sum(subject not in known for subject in different)
    other = {name: n for name, n in summary.verdicts.items() if name not in ("accepted", "rejected")}
    return ImportTrialResult(
        rows=summary.rows,
        new=new,
        existing=len(summary.subjects) - new - erased,
        erased=erased,
        rejected=summary.verdicts["rejected"],
        other=other,
        customers=len(summary.customers),
        first_at=summary.first_at,
        last_at=summary.last_at,
        questions=[QuestionCount(question=q, kind=kind, answers=n) for (q, kind), n in summary.answers.most_common()],
        dimensions=[
            DimensionCount(dimension=name, records=values.total(), values=[v for v, _ in values.most_common(MOST_FREQUENT)])
            for name, values in sorted(summary.dimensions.items())
        ],
        faults=[ImportFault(**asdict(fault)) for fault in summary.faults],
        records=summary.records,
    )
