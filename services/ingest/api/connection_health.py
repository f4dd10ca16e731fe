"""The `health` of a connection: its latest delivery, the outcomes of the last 24 hours, and how its deliveries fit the
mapping."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.ingest.api.dependencies import Ingest
from services.ingest.api.jobs import state_of
from services.ingest.domain.connection import Connection
from services.ingest.domain.health import Health
from services.ingest.domain.mapping_use import MappingUse, UnusedKeys, is_mapped, unused_keys
from services.ingest.domain.own_dimensions import names_in_settings, similar_dimension
from services.ingest.domain.providers import PROVIDERS
from services.ingest.inbox.jobs import Job
from services.ingest.store.tool_apis import ToolApiState
from shared.database import outage_is_503

NO_CREDENTIALS = "the connection has no credentials of the tool's API"


class UnmappedQuestion(BaseModel):
    """A question whose answers are left out, since the mapping does not declare it. The stored bodies still hold them."""

    question: str = Field(description="Its id in the tool, a key for `mapping.questions`", examples=["sT5fD8k1WqZx"])
    ref: str | None = Field(description="Its ref in the tool, another key for it", examples=["satisfied"])
    title: str | None = Field(description="Its text in the tool", examples=["How satisfied are you?"])


class SeenUnmappedQuestion(UnmappedQuestion):
    """An unmapped question and how often it was answered."""

    seen: int = Field(description="Accepted deliveries that answer it", examples=[412])
    last_seen: datetime = Field(description="Receipt of the latest one")


class UnusedMapping(BaseModel):
    """Keys of the mapping that occur in no delivery: misspelt, or of a question that the tool does not have any more."""

    questions: list[str] = Field(description="Keys of `mapping.questions`", examples=[["satisfed"]])
    dimensions: list[str] = Field(description="Keys of `mapping.dimensions`", examples=[[]])


class SeenOwnDimension(BaseModel):
    """A dimension of the tenant's own. Queries can use it once `PUT /v1/dimensions` declares it."""

    name: str = Field(description="The name in the records or in the connection's settings", examples=["taem"])
    similar_to: str | None = Field(description="The dimension of every tenant that it may be a misspelling of", examples=["team"])


class ToolApiHealth(BaseModel):
    """The state of the tool's API, whose answers complete its thin events."""

    waiting: int = Field(description="Objects that wait to be fetched, counted up to 10,000", examples=[0])
    waiting_since: datetime | None = Field(description="Since when the oldest of them has waited; null: none waits")
    stopped: str | None = Field(
        description="Why the API is not called: no credentials, or the tool refuses them. Nothing is lost; set `credentials`",
        examples=[None],
    )
    blocked_until: datetime | None = Field(
        description="The API is not called before this time, because of its rate limit or of failures"
    )
    last_success: datetime | None = Field(description="When it last answered; updated every ten seconds at most")
    last_error: str | None = Field(description="The latest error", examples=["the tool's API answered 503"])
    last_error_at: datetime | None = Field(description="When that was")


class BackFillHealth(BaseModel):
    """The latest back-fill of a connection."""

    job: str = Field(description="The job, for `GET /v1/jobs/{id}`", examples=["7"])
    state: Literal["running", "done", "failed", "canceled"] = Field(
        description="A running one goes on after a restart", examples=["running"]
    )
    since: datetime | None = Field(description="What happened at the tool from this time on is fetched")
    records: int = Field(description="Records that the tool has announced so far", examples=[12800])
    done: int = Field(description="Records that are done", examples=[6400])
    results: dict[str, int] = Field(
        description="Records that are done, by outcome", examples=[{"accepted": 6300, "duplicate": 100}]
    )
    problem: str | None = Field(description="Why it waits, or why it failed", examples=[None])
    created_at: datetime
    finished_at: datetime | None


class ConnectionHealth(BaseModel):
    """Counts cover the current hour and the 23 before it. A crash of ingest may lose those of its last seconds."""

    last_delivery: datetime | None = Field(description="Receipt of the latest verified delivery; null: none yet")
    accepted_24h: int = Field(description="Deliveries or records that were read and stored", examples=[1280])
    duplicate_24h: int = Field(description="Repeats of stored deliveries", examples=[3])
    ignored_24h: int = Field(description="Of a kind that Earshot does not use", examples=[0])
    refused_24h: int = Field(description="Answered by a 4xx, such as a wrong signature; not stored", examples=[0])
    quarantined_24h: int = Field(description="Stored, but could not be read", examples=[0])
    unmapped: list[SeenUnmappedQuestion] = Field(
        description="Questions that the present mapping leaves out, the most frequent first; about 100 are noted"
    )
    unused_mapping: UnusedMapping = Field(
        description="Keys of the present mapping that occurred in no delivery; empty until one was accepted under it"
    )
    own_dimensions: list[SeenOwnDimension] = Field(
        description="Dimensions of the tenant's own in accepted records and in the connection's settings; about 100 are noted"
    )
    rereading: bool = Field(description="Whether a replay with `reread` is in progress", examples=[False])
    api: ToolApiHealth | None = Field(description="The tool's API, if it completes the tool's events; else null")
    backfill: BackFillHealth | None = Field(description="The latest back-fill; null: there was none")


async def load_health(ingest: Ingest, tenant: str, connections: Sequence[Connection]) -> Mapping[str, ConnectionHealth]:
    """The health of connections of a tenant, by id. Numbers of this process are included, those of others are seconds old."""
    async with outage_is_503():
        await ingest.observer.flush()
        health = await ingest.health.load([connection.id for connection in connections], ingest.now())
        rereading = await ingest.jobs.rereading_connections(tenant)
        apis = await ingest.apis.load([connection.id for connection in connections if calls_api(connection)])
        back_fills = await ingest.back_filler.latest([connection.id for connection in connections])
    return {
        connection.id: as_health(
            connection,
            health[connection.id],
            not {connection.id, None}.isdisjoint(rereading),
            as_api_health(connection, apis[connection.id]) if connection.id in apis else None,
            as_back_fill_health(back_fills[connection.id]) if connection.id in back_fills else None,
        )
        for connection in connections
    }


def calls_api(connection: Connection) -> bool:
    """Whether the events of this connection are completed by calls to the tool's API."""
    api = PROVIDERS[connection.provider].api if connection.provider in PROVIDERS else None
    return api is not None and api.is_used(connection.mapping)


def as_api_health(connection: Connection, state: ToolApiState) -> ToolApiHealth:
    """The `api` of a connection's health."""
    blocked_until = state.blocked_until if state.blocked_until and state.blocked_until > datetime.now(UTC) else None
    return ToolApiHealth(
        waiting=state.waiting,
        waiting_since=state.oldest,
        stopped=state.stopped if connection.has_credentials else NO_CREDENTIALS,
        blocked_until=blocked_until,
        last_success=state.last_success,
        last_error=state.last_error,
        last_error_at=state.last_error_at,
    )


def as_back_fill_health(job: Job) -> BackFillHealth:
    """The `backfill` of a connection's health."""
    return BackFillHealth(
        job=str(job.id),
        state=state_of(job),
        since=job.selection.since,
        records=job.matched,
        done=sum(job.results.values()),
        results=dict(job.results),
        problem=job.problem,
        created_at=job.added,
        finished_at=job.finished,
    )


def as_health(
    connection: Connection, health: Health, rereading: bool, api: ToolApiHealth | None, backfill: BackFillHealth | None
) -> ConnectionHealth:
    """The health of a connection under its present mapping."""
    counts = {
        f"{name}_24h": health.counts.get(name, 0) for name in ("accepted", "duplicate", "ignored", "refused", "quarantined")
    }
    is_read = health.read_revision is not None and health.read_revision >= connection.revision
    unused = unused_keys(connection.mapping, health.questions, health.dimensions) if is_read else UnusedKeys([], [])
    return ConnectionHealth(
        last_delivery=health.last_delivery,
        **counts,
        unmapped=[
            SeenUnmappedQuestion(
                question=unmapped.question.question,
                ref=unmapped.question.ref,
                title=unmapped.question.title,
                seen=unmapped.seen,
                last_seen=unmapped.last_seen,
            )
            for unmapped in health.unmapped
            if not is_mapped(connection.mapping, unmapped.question)
        ],
        unused_mapping=UnusedMapping(questions=unused.questions, dimensions=unused.dimensions),
        own_dimensions=as_own_dimensions(health.own_dimensions | names_in_settings(connection)),
        rereading=rereading,
        api=api,
        backfill=backfill,
    )


def as_own_dimensions(names: Iterable[str]) -> list[SeenOwnDimension]:
    """These dimensions of the tenant's own, sorted; those that look misspelt first."""
    dimensions = [SeenOwnDimension(name=name, similar_to=similar_dimension(name)) for name in sorted(names)]
    return sorted(dimensions, key=lambda dimension: dimension.similar_to is None)


def unused_by(connection: Connection, use: MappingUse | None) -> UnusedMapping:
    """The keys of the mapping that do not occur in one delivery. Empty without `use`: the delivery could not be read."""
    unused = unused_keys(connection.mapping, use.questions, use.dimensions) if use else UnusedKeys([], [])
    return UnusedMapping(questions=unused.questions, dimensions=unused.dimensions)
