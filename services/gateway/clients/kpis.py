"""What the gateway itself asks of metrics."""

import msgspec

from services.gateway.clients.upstream import Upstream
from shared.problems import BadRequest, NotFound, Problem, Unavailable


async def value(metrics: Upstream, tenant: str, kpi: str, query: str) -> bytes:
    """A KPI's answer as JSON; raises the Problem that metrics has with the question."""
    answer = await metrics.call("GET", f"/v1/kpis/{kpi}", tenant=tenant, query=query)
    if answer.status_code >= 400:
        raise refusal(answer.status_code, answer.content)
    return answer.content


def refusal(status: int, document: bytes) -> Problem:
    """A problem document of metrics as the Problem it was."""
    try:
        told = msgspec.json.decode(document, type=dict[str, object])
    except msgspec.MsgspecError:
        told = {}
    kind = {400: BadRequest, 404: NotFound}.get(status)
    if kind is None:
        return Unavailable(f"metrics answered {status}")
    params = told.get("invalid_params")
    return kind(str(told.get("detail", "")), invalid_params=params if isinstance(params, list) else ())


class Revision(msgspec.Struct):
    """What the tenant's answers about a KPI are made of now, and the watermark (RFC 3339; None while it isn't known)."""

    revision: str
    watermark: str | None = None


async def revision(metrics: Upstream, tenant: str, kpi: str) -> Revision:
    """The present revision of the tenant's answers about `kpi`; raises Unavailable. `kpi` must be clean, as `requests.clean`
    has it."""
    answer = await metrics.call("GET", "/internal/revision", tenant=tenant, query=f"kpi={kpi}")
    try:
        return msgspec.json.decode(answer.content, type=Revision)
    except msgspec.MsgspecError as error:
        raise Unavailable("metrics answered without a revision") from error
