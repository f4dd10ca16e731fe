"""KPIs: the catalogue, a KPI's value, breakdown or series, and the records behind it. Metrics answers; the door is here."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.api import requests
from services.gateway.api.callers import BEARER, caller_with
from services.gateway.api.passing import answered
from services.gateway.api.state import gateway_of
from services.gateway.domain.keys import Key

routes = APIRouter(dependencies=[Depends(BEARER)], tags=["kpis"])

Reader = Annotated[Key, Depends(caller_with("metrics:read"))]
RecordsReader = Annotated[Key, Depends(caller_with("records:read"))]


@routes.get("/v1/kpis", summary="The catalogue")
async def catalogue(request: Request, caller: Reader) -> Response:
    return await ask(request, caller, "/v1/kpis")


@routes.get("/v1/kpis/{kpi}", summary="A number, a breakdown or a series")
async def kpi(request: Request, kpi: str, caller: Reader) -> Response:
    return await ask(request, caller, f"/v1/kpis/{requests.clean(kpi)}")


@routes.get("/v1/kpis/{kpi}/records", summary="The records behind a number")
async def records(request: Request, kpi: str, caller: RecordsReader) -> Response:
    return await ask(request, caller, f"/v1/kpis/{requests.clean(kpi)}/records")


async def ask(request: Request, caller: Key, path: str) -> Response:
    query = requests.query(request)
    return answered(await gateway_of(request).upstream("metrics").call("GET", path, tenant=caller.tenant, query=query))
