"""Typed FastAPI routes: declared query parameters, bounded JSON bodies, and both in the OpenAPI document.

    routes = APIRouter(route_class=TypedRoute, tags=["keys"])

    @routes.post("/v1/keys", status_code=201, responses=responses(NotAuthenticated, Unprocessable))
    async def create_key(caller: Admin, new: Annotated[NewKey, JsonBody(NewKey)]) -> KeyWithSecret: ...

Dependencies are `async def`, since FastAPI runs others in a thread. It resolves them in the order of the endpoint's parameters,
so a dependency that authenticates comes before the body.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import wraps
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

from shared import strict_json
from shared.bodies import MIB, Bodies, headers_of, read_content, require_json
from shared.http import TENANT_HEADER, require_internal
from shared.openapi import INTERNAL, REF
from shared.problems import BadRequest, Problem, TooLarge, Unprocessable, UnsupportedMedia, validation_problem
from shared.suggestions import refusal

MAX_BODY_VALUES = 1_000
"""Values of a JSON body, if the route states no other limit."""
MAX_NUMBER_DIGITS = 18

REPEATED = "given more than once"
"""The reason why a parameter is refused that is repeated but is not a list."""

BODY_PROBLEMS: tuple[type[Problem], ...] = (BadRequest, TooLarge, UnsupportedMedia, Unprocessable)
"""The problems that JsonBody raises, for `responses(..., *BODY_PROBLEMS)`."""

M = TypeVar("M", bound=BaseModel)


class TypedRoute(APIRoute):
    """A route that refuses query parameters which it does not declare.

    The check runs after the dependencies that authenticate and before the body is read. It raises BadRequest for an
    undeclared parameter, for one that is repeated but is not a list, and for NUL. A subclass with `open_query` checks by itself.
    """

    open_query = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if self.open_query else with_query_check(endpoint), **options)
        parameters = [param for dependant in with_subdependencies(self.dependant) for param in dependant.query_params]
        self.parameters = [param.alias for param in parameters]
        self.single_parameters = {param.alias for param in parameters if not is_list(param.field_info.annotation)}
        self.list_parameters = set(self.parameters) - self.single_parameters
        calls = [dependant.call for dependant in with_subdependencies(self.dependant)]
        for content in (getattr(call, "body_content", None) for call in calls):
            if content:
                self.openapi_extra = {"requestBody": {"required": True, "content": content}} | (self.openapi_extra or {})
        if require_internal in calls:
            self.openapi_extra = {"security": [{INTERNAL: []}]} | (self.openapi_extra or {})


def add_routes(app: FastAPI, *routers: APIRouter) -> None:
    """Serve the routes of these routers as they are declared.

    `app.include_router` can add a prefix and dependencies, so it builds every route a second time, at the first request. That
    takes 45 ms of processor time in metrics.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


def with_subdependencies(dependant: Dependant) -> Iterator[Dependant]:
    """A dependant and all that it depends on."""
    yield dependant
    for dependency in dependant.dependencies:
        yield from with_subdependencies(dependency)


def is_list(annotation: Any) -> bool:
    """Whether a parameter's annotation is a list, so that it may be repeated."""
    return "list[" in str(annotation)


def with_query_check(endpoint: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The endpoint with one more dependency, the last one: `check_query`."""

    @wraps(endpoint)
    async def checked(*args: Any, checked_query: None, **kwargs: Any) -> Any:
        return await endpoint(*args, **kwargs)

    signature = inspect.signature(endpoint)
    check = inspect.Parameter("checked_query", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[None, Depends(check_query)])
    checked.__signature__ = signature.replace(parameters=[*signature.parameters.values(), check])  # type: ignore[attr-defined]
    return checked


async def check_query(request: Request) -> None:
    """Raise BadRequest for query parameters that a TypedRoute does not declare, repeats of a single one, and NUL."""
    route = request.scope["route"]
    if getattr(route, "open_query", True):
        return
    items = request.query_params.multi_items()
    names = [name for name, _ in items]
    known = route.single_parameters | route.list_parameters
    wrong = {name: unknown_parameter(name, route.parameters) for name in names if name not in known}
    wrong |= {name: REPEATED for name in names if name in route.single_parameters and names.count(name) > 1}
    wrong |= {name: "holds NUL" for name, value in items if "\0" in value}
    if wrong:
        raise BadRequest("the query is invalid", invalid_params=[{"name": name, "reason": why} for name, why in wrong.items()])


def unknown_parameter(name: str, allowed: Sequence[str]) -> str:
    """Why a query parameter that is none of `allowed` is refused."""
    return refusal("unknown parameter", name, allowed)


QueryChecked = Annotated[None, Depends(check_query)]
"""A parameter of a dependency that must run after the check of the query. The check runs once per request."""


def JsonBody(  # noqa: N802  a class to its users, as FastAPI's Body is
    model: type[M], *, max_bytes: int = MIB, max_values: int = MAX_BODY_VALUES, any_media_type: bool = False, empty: bytes = b""
) -> Any:
    """A dependency that reads the request's JSON body as `model`: `body: Annotated[NewKey, JsonBody(NewKey)]`.

    Raises UnsupportedMedia for a media type that is never JSON (unless `any_media_type`), TooLarge beyond `max_bytes`, BadRequest
    for text that is not JSON or has more than `max_values` values, and Unprocessable with the places that do not fit the model.
    `empty` is used in place of an empty body. `app.state.bodies` says where large bodies are counted and parsed.
    """

    async def read_json(request: Request, checked: QueryChecked) -> M:
        headers = headers_of(request.scope)
        if not any_media_type:
            require_json(headers)
        bodies: Bodies = request.app.state.bodies
        tenant = getattr(request.state, "tenant", None) or headers.get(TENANT_HEADER, "")
        with bodies.memory.reserve(tenant) as reservation:
            raw = await read_content(headers, request.receive, reservation, max_bytes) or empty
            return await bodies.parsing(tenant, len(raw), lambda: validate_json(model, raw, max_values))

    return documented_body(read_json, model)


def documented_body(reader: Callable[..., Any], model: Any, *more_media_types: str) -> Any:
    """`reader` as a dependency whose body has the schema of `model` in the OpenAPI document.

    For routes that read their body themselves; `reader` should depend on QueryChecked. `model` is a pydantic model or a type that
    TypeAdapter takes.
    """
    schema = schema_of(model)
    content = {media_type: {"schema": schema} for media_type in ("application/json", *more_media_types)}
    reader.body_content = content  # type: ignore[attr-defined]
    return Depends(reader)


def schema_of(model: Any) -> dict[str, Any]:
    """The JSON schema of a model; its `$defs` move to `components/schemas` in `shared.openapi`."""
    schema = TypeAdapter(model).json_schema(ref_template=REF + "{model}")
    if "title" not in schema or "properties" not in schema:
        return schema
    definitions = schema.pop("$defs", {})
    return {"$ref": REF + schema["title"], "$defs": definitions | {schema["title"]: schema}}


def validate_json(model: type[M], raw: bytes, max_values: int) -> M:
    """Parse a body. Raises BadRequest if it is not JSON, Unprocessable if it does not fit `model`."""
    try:
        return model.model_validate(strict_json.parse(raw, max_values))
    except strict_json.Malformed as error:
        raise BadRequest(str(error)) from None
    except ValidationError as error:
        raise validation_problem(Unprocessable, error, model) from None


def require_digits(value: Any) -> Any:
    """Raise ValueError for text that is not up to MAX_NUMBER_DIGITS ASCII digits, such as `+5`, ` 5` and `5.0`."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= MAX_NUMBER_DIGITS):
        raise ValueError("must be a whole number")
    return value


WholeNumber = Annotated[int, Field(ge=0), BeforeValidator(require_digits)]
"""A query parameter that is a whole number, 0 or more, of at most MAX_NUMBER_DIGITS digits."""
