"""The calls that the gateway itself makes to metrics."""

import msgspec

from services.gateway.clients.upstream import Upstream
from services.gateway.domain.watch import UPCOMING
from shared.problems import BadRequest, NotFound, Problem, Unavailable


class UnknownKpi(NotFound):
    title = "Unknown KPI"


class UnknownTenant(NotFound):
    title = "Unknown tenant"


PROBLEMS: dict[object, type[Problem]] = {kind.title: kind for kind in (UnknownKpi, UnknownTenant)}
STATUSES: dict[int, type[Problem]] = {400: BadRequest, 404: NotFound}
"""Problems of metrics by their title, and all others by their status."""


async def fetch_result(metrics: Upstream, tenant: str, kpi: str, query: str) -> bytes:
    """A KPI's result, or the list UPCOMING, as JSON. Raises the Problem with which metrics refuses the query."""
    path = f"/v1/{kpi}" if kpi == UPCOMING else f"/v1/kpis/{kpi}"
    response = await metrics.call("GET", path, tenant=tenant, query=query)
    if response.status_code >= 400:
        raise parse_problem(response.status_code, response.content)
    return response.content


def parse_problem(status: int, content: bytes) -> Problem:
    """A problem document of metrics as an exception. Unavailable if its status is neither 400 nor 404."""
    try:
        document = msgspec.json.decode(content, type=dict[str, object])
    except msgspec.MsgspecError:
        document = {}
    title, detail = document.get("title"), str(document.get("detail", ""))
    kind = PROBLEMS.get(title) or STATUSES.get(status)
    if kind is None:
        return Unavailable(f"metrics responded with {status}")
    params = document.get("invalid_params")
    return kind(detail, invalid_params=params if isinstance(params, list) else ())


class Revision(msgspec.Struct):
    """The revision of the events behind a tenant's KPI, and the watermark (RFC 3339; None while it is unknown)."""

    revision: str
    watermark: str | None = None


async def fetch_revision(metrics: Upstream, tenant: str, kpi: str) -> Revision:
    """The current revision of the tenant's KPI. Raises Unavailable. `kpi` must be a valid id."""
    response = await metrics.call("GET", "/internal/revision", tenant=tenant, query=f"kpi={kpi}")
    try:
        return msgspec.json.decode(response.content, type=Revision)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics responded without a revision") from error
