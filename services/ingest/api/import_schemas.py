"""The models of `/v1/imports`."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from services.ingest.domain.fields import Model, Name
from services.ingest.domain.imports.job import Import, State
from services.ingest.domain.imports.mapping import CsvMapping

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Format = Annotated[str, StringConstraints(min_length=1, max_length=40)]

FORMAT = (
    "`ndjson`: one canonical record (docs/record.md) a line; `csv`: a header and rows, with a `mapping`; the connection's "
    "provider: one payload a line, as the tool posts it to the hook"
)
CONNECTION = "The connection that the records belong to; by default the tenant's built-in one, `api`"
MAPPING = "Only for `csv`, which requires it"


class NewImport(Model):
    """A file to import."""

    connection: Name | None = Field(None, description=CONNECTION, examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    format: Format = Field(description=FORMAT, examples=["ndjson"])
    mapping: CsvMapping | None = Field(None, description=MAPPING)
    sha256: Digest | None = Field(
        None,
        description="SHA-256 of the whole file, in hexadecimal. If it is stated, the import fails when the uploaded parts give "
        "another one",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


class ImportSample(Model):
    """The beginning of a CSV file."""

    sample: str = Field(
        description="The header and some rows, up to 1 MiB; 100 rows are enough. A last line without its end is left out",
        examples=["Response ID,Submitted At,How likely are you to recommend us?\n1,2026-11-20T09:14:03Z,9\n"],
    )


class ImportTrial(Model):
    """Records to read as an import would read them."""

    connection: Name | None = Field(None, description=CONNECTION)
    format: Format = Field(description=FORMAT, examples=["ndjson"])
    mapping: CsvMapping | None = Field(None, description=MAPPING)
    sample: str = Field(
        description="Whole lines of the file, up to 1 MiB, of a CSV file with its header",
        examples=['{"type": "response", "id": "r-1042", "at": "2025-11-20T09:14:03+01:00", "answers": []}'],
    )


class ImportView(BaseModel):
    """An import, with its progress."""

    id: str = Field(examples=["7"])
    connection: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    format: str = Field(description=FORMAT, examples=["ndjson"])
    mapping: dict[str, Any] | None = Field(description="The mapping of a `csv` file; null for other formats", examples=[None])
    upload: str = Field(description="Where to PUT part {n} of the file", examples=["/v1/imports/7/parts/{n}"])
    state: State = Field(
        description="`uploading`: parts can be added; `running`: it goes on after a restart; `failed`: the rest of the file "
        "can't be read, for the `reason`; `canceled`: by you, or because nothing was uploaded for a week",
        examples=["running"],
    )
    sha256: str | None = Field(
        description="SHA-256 of the whole file: the stated one, else the one that is computed when the import runs; null before"
    )
    parts: int = Field(description="Parts that are uploaded", examples=[12])
    bytes: int = Field(description="Bytes that are uploaded", examples=[50331648])
    bytes_read: int = Field(description="Of these, the bytes whose records are stored", examples=[25165824])
    rows: int = Field(description="Records that are read", examples=[61440])
    accepted: int = Field(description="Records that state something new", examples=[61400])
    duplicate: int = Field(
        description="Records whose line was imported before, from the same file under the same mapping", examples=[0]
    )
    ignored: int = Field(
        description="Records about an erased subject or customer, and payloads of kinds that are not used", examples=[30]
    )
    rejected: int = Field(description="Records that can't be used: `GET /v1/imports/{id}/errors`", examples=[10])
    quarantined: int = Field(description="Payloads that could not be read: `GET /v1/quarantine`", examples=[0])
    held: int = Field(description="Payloads that wait for the end of the connection's pause", examples=[0])
    pending: int = Field(description="Payloads whose content is fetched from the tool's API", examples=[0])
    rows_per_second: float | None = Field(description="Average since the import was started; null before", examples=[8190.5])
    reason: str | None = Field(description="Why it failed or was cancelled")
    requested_by: str | None = Field(description="The id of the API key; null: the operator", examples=["key_5f0e8c2b1f7be4a9"])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportPage(BaseModel):
    """Imports, the newest first."""

    items: list[ImportView]
    cursor: str | None = Field(description="For the next page; null on the last one", examples=["6"])


class ImportPartView(BaseModel):
    """An uploaded part of a file."""

    number: int = Field(examples=[1])
    sha256: str = Field(description="SHA-256 of its content, in hexadecimal; compare it with yours")
    bytes: int = Field(examples=[4194304])


class ImportPartList(BaseModel):
    """The uploaded parts, by their numbers."""

    parts: list[ImportPartView]


class ImportNote(BaseModel):
    """A decision that is left to you, or that you should check."""

    column: str = Field(description="The column; empty if the note is about the whole file", examples=["Score"])
    text: str = Field(examples=["numbers from 0 to 10: if it is a rating, state its `kind` and `scale`"])


class ProposedImportMapping(BaseModel):
    """A proposal for the mapping of a CSV file."""

    mapping: dict[str, Any] = Field(
        description="As far as the sample decides it; `complete` says whether it can be used as it is"
    )
    complete: bool
    notes: list[ImportNote]
    left_out: list[str] = Field(description="The columns that the mapping does not name", examples=[["Network ID"]])
    rows: int = Field(description="Rows of the sample that were looked at", examples=[100])


class QuestionCount(BaseModel):
    """The answers to a question."""

    question: str = Field(examples=["q1"])
    kind: str = Field(examples=["nps"])
    answers: int = Field(examples=[98])


class DimensionCount(BaseModel):
    """The values of a dimension."""

    dimension: str = Field(examples=["region"])
    records: int = Field(description="Records that have a value", examples=[98])
    values: list[str] = Field(description="The most frequent ones, up to ten", examples=[["DE", "FR"]])


class ImportFault(BaseModel):
    """A place in a record that is wrong."""

    line: int = Field(description="The line of the sample, from 1", examples=[17])
    field: str = Field(description="The field of the record, or the column", examples=["answers.0.value"])
    reason: str = Field(examples=["outside its scale 1..5"])


class ImportTrialResult(BaseModel):
    """The effect that an import of these records would have."""

    rows: int = Field(examples=[100])
    new: int = Field(description="Records about subjects that are not stored", examples=[90])
    existing: int = Field(description="Records about subjects that are stored, or that occur earlier in the sample", examples=[6])
    erased: int = Field(description="Records about erased subjects, which would be ignored", examples=[1])
    rejected: int = Field(description="Records that can't be used", examples=[3])
    other: dict[str, int] = Field(
        description="Payloads that have no records, or none yet, by outcome: `quarantined`, `ignored`, `held`, `pending`; and "
        "`erasure`",
        examples=[{}],
    )
    customers: int = Field(description="Different customers", examples=[80])
    first_at: datetime | None = Field(description="The earliest feedback")
    last_at: datetime | None = Field(description="The latest feedback")
    questions: list[QuestionCount]
    dimensions: list[DimensionCount]
    faults: list[ImportFault] = Field(description="The first 100 places that are wrong")
    records: list[dict[str, Any]] = Field(description="The first five records, redacted and without identities")


def as_view(job: Import, now: datetime) -> ImportView:
    """The import as the API returns it."""
    seconds = ((job.finished or now) - job.started).total_seconds() if job.started else 0.0
    results = ("accepted", "duplicate", "ignored", "rejected", "quarantined", "held", "pending")
    return ImportView(
        id=str(job.id),
        connection=job.connection,
        format=job.format,
        mapping=None if job.mapping is None else dict(job.mapping),
        upload=f"/v1/imports/{job.id}/parts/{{n}}",
        state=job.state,
        sha256=job.sha256,
        parts=job.parts,
        bytes=job.bytes,
        bytes_read=job.bytes_read,
        rows=job.rows,
        **{name: job.results.get(name, 0) for name in results},
        rows_per_second=round(job.rows / max(seconds, 0.001), 1) if job.started else None,
        reason=job.reason,
        requested_by=job.requested_by,
        created_at=job.created,
        started_at=job.started,
        finished_at=job.finished,
    )
