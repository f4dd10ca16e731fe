"""Request and response bodies of `/v1/connections`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, model_validator

from services.ingest.api.connection_health import ConnectionHealth, SeenOwnDimension, UnmappedQuestion, UnusedMapping
from services.ingest.domain.connection import Dimension, State, check_own_dimensions
from services.ingest.domain.delivery import Verdict
from services.ingest.domain.fields import Model, Name
from services.ingest.domain.providers import PROVIDERS


def settings_schema() -> dict[str, Any]:
    """The JSON schema of `mapping`: the settings of any provider."""
    models = dict.fromkeys(provider.settings for provider in PROVIDERS.values())
    schemas = [inline_definitions(model.model_json_schema()) for model in models]
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def inline_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema whose references are replaced by their `$defs`. It must not be recursive."""
    definitions = schema.get("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, list):
            return [inlined(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return inlined(definitions[node["$ref"].rpartition("/")[2]])
        return {name: inlined(value) for name, value in node.items() if name != "$defs"}

    result: dict[str, Any] = inlined(schema)
    return result


Settings = Annotated[dict[str, Any], WithJsonSchema(settings_schema())]
"""A connection's `mapping`. The routes validate it, since its model depends on the provider."""


def credentials_schema() -> dict[str, Any]:
    """The JSON schema of `credentials`: those of any provider whose API is called."""
    models = dict.fromkeys(provider.credentials for provider in PROVIDERS.values() if provider.credentials)
    schemas = [inline_definitions(model.model_json_schema()) for model in models]
    return {**(schemas[0] if len(schemas) == 1 else {"anyOf": schemas}), "writeOnly": True}


CredentialValues = Annotated[dict[str, Any], WithJsonSchema(credentials_schema())]
"""A connection's `credentials`. The routes validate them, since their model depends on the provider. They are never returned."""

CREDENTIALS_FIELD = (
    "Credentials of the tool's API, for tools whose events are completed by it and for back-fills. They are stored encrypted and "
    "never returned"
)

MAPPING_FIELD = "How the tool's payloads are read"


def _check_names(dimensions: dict[str, str]) -> dict[str, str]:
    check_own_dimensions(dimensions)
    return dimensions


FixedDimensions = Annotated[dict[Dimension, Name], Field(max_length=20), AfterValidator(_check_names)]
"""Dimensions that every record of a connection has."""

DIMENSIONS_FIELD = (
    "Dimensions that every record of this connection gets, such as `region`; also up to ten of your own, such as `plan`"
)


class NewConnection(Model):
    """A tool to connect."""

    provider: Name = Field(description="The kind of tool", examples=["typeform"])
    name: Name = Field(description="The name in lists", examples=["Support survey"])
    secret: str | None = Field(
        None,
        description="The tool's signing secret: `whsec_` and base64 for `standard`, else the literal text. Left out or null: "
        "a secret is created",
    )
    mapping: Settings = Field(default_factory=dict, description=MAPPING_FIELD)
    dimensions: FixedDimensions = Field(default_factory=dict, description=DIMENSIONS_FIELD, examples=[{"region": "DE"}])
    credentials: CredentialValues | None = Field(None, description=CREDENTIALS_FIELD, examples=[None])


class ConnectionChange(Model):
    """Changes of a connection. Fields that are left out stay as they are; all changes take effect together or not at all."""

    name: Name | None = Field(None, description="The new name", examples=["Support survey"])
    secret: str | None = Field(
        None,
        description="Starts a rotation; null: a secret is created. The former secret stays valid until `retire_secret`. While a "
        "rotation is open, `secret` alone is refused (409)",
    )
    retire_secret: Literal[True] | None = Field(
        None,
        description="Ends the rotation: only the newest secret stays valid. Together with `secret`: only the new secret is "
        "valid from now on",
    )
    cancel_rotation: Literal[True] | None = Field(
        None,
        description="Ends the rotation the other way: the newest secret becomes invalid, the former one stays valid. Together "
        "with `secret`: this one replaces the newest, for example if the response that held it was lost. 409 if no rotation is "
        "open",
    )
    mapping: Settings | None = Field(None, description="Replaces the mapping and raises `revision`")
    dimensions: FixedDimensions | None = Field(None, description="Replaces the dimensions and raises `revision`")
    credentials: CredentialValues | None = Field(
        None,
        description="Replaces the credentials of the tool's API, and calls it again at once; null: removes them",
        examples=[None],
    )
    paused: bool | None = Field(None, description="true: hold deliveries unread; false: read them, the held ones first")

    @model_validator(mode="after")
    def _check_rotation(self) -> "ConnectionChange":
        if self.retire_secret and self.cancel_rotation:
            raise ValueError("retire_secret and cancel_rotation exclude each other: they make different secrets invalid")
        return self


class TrialDelivery(Model):
    """A delivery to try."""

    headers: dict[str, str] = Field(default_factory=dict, description="Its HTTP headers; names in any case")
    query: str = Field("", description="The query of the hook's URL, which some tools sign")
    body: str = Field(description="Its body as the tool sends it", examples=['{"event_type": "form_response"}'])


class ConnectionView(BaseModel):
    """A connected tool."""

    id: str = Field(examples=["con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"])
    provider: str = Field(description="The kind of tool; `api` is the built-in connection", examples=["typeform"])
    name: str = Field(examples=["Support survey"])
    state: State = Field(description="`paused`: deliveries are held unread")
    held: int = Field(description="Deliveries that wait unread because the connection is or was paused", examples=[0])
    hook_url: str | None = Field(
        description="Where the tool posts; null for the built-in connection",
        examples=["https://feedback.example.com/v1/hooks/con_8c2b1f7be4a94e0c9d3c4a50a1c2e3f4"],
    )
    mapping: Settings = Field(description=MAPPING_FIELD)
    dimensions: dict[str, str] = Field(description=DIMENSIONS_FIELD, examples=[{"region": "DE"}])
    revision: int = Field(description="Grows with each change of `mapping` or `dimensions`", examples=[1])
    secrets: int = Field(description="Number of valid secrets: 2 during a rotation", examples=[1])
    has_credentials: bool = Field(description="Whether credentials of the tool's API are stored", examples=[False])
    health: ConnectionHealth = Field(description="Its latest deliveries, and how they fit its mapping")


class ListedConnectionView(ConnectionView):
    """A connected tool as an entry of a list."""

    created_at: datetime


class ConnectionList(BaseModel):
    """All connected tools of a tenant, the oldest first."""

    connections: list[ListedConnectionView]


class ConnectionWithSecret(ConnectionView):
    """A connected tool with its new secret, which is not returned again."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class TrialResult(BaseModel):
    """The result that a delivery would have. Nothing is stored."""

    verified: bool = Field(description="Whether the signature is valid")
    status: Verdict = Field(description="The verdict, whether or not the signature is valid", examples=["accepted"])
    reason: str | None = Field(description="Why it would be quarantined or ignored, or why the signature is invalid")
    records: list[dict[str, Any]] = Field(description="The canonical records, redacted as they would be stored")
    unmapped: list[UnmappedQuestion] = Field(description="Answered questions that are part of no record: map or ignore them")
    unused_mapping: UnusedMapping = Field(description="Keys of the mapping that do not occur in this delivery")
    own_dimensions: list[SeenOwnDimension] = Field(description="Dimensions of the tenant's own in the records")
