"""Checks the parts of a connection whose form depends on its provider: mapping, credentials and secret."""

import secrets
from typing import Any

from pydantic import ValidationError

from services.ingest.domain.connection import ProviderSettings
from services.ingest.domain.fields import Model
from services.ingest.domain.providers import PROVIDERS, read_settings
from services.ingest.domain.providers.tool_api import Credentials
from shared.problems import Problem, Unprocessable, validation_problem

SECRET_BYTES = 32


def settings_of(provider: str, mapping: dict[str, Any]) -> ProviderSettings:
    """`mapping` as the provider's settings. Raises Unprocessable with the places that do not fit."""
    try:
        return read_settings(provider, mapping)
    except ValidationError as error:
        raise invalid_part("mapping", error, PROVIDERS[provider].settings) from None


def credentials_of(provider: str, values: dict[str, Any] | None) -> Credentials | None:
    """`credentials` as the provider's model. Raises Unprocessable with the places that do not fit, never with a value."""
    model = PROVIDERS[provider].credentials
    if values is None:
        return None
    if model is None:
        reason = f"the API of {provider} is not called: its deliveries are complete"
        raise Unprocessable(invalid_params=[{"name": "credentials", "reason": reason}])
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_part("credentials", error, model) from None


def invalid_part(name: str, error: ValidationError, model: type[Model]) -> Problem:
    """The problem of a field whose value does not fit the provider's model."""
    problem = validation_problem(Unprocessable, error, model)
    params = [{**param, "name": f"{name}.{param['name']}"} for param in problem.invalid_params]
    return Unprocessable(problem.detail, invalid_params=params, more_invalid_params=problem.more_invalid_params)


def usable_secret(provider: str, secret: str | None) -> str:
    """The given secret, or a new one. Raises Unprocessable if no tool, or not this tool, can have such a secret."""
    if secret is None:
        return PROVIDERS[provider].new_secret(secrets.token_bytes(SECRET_BYTES))
    if refusal := refuse_characters(secret) or PROVIDERS[provider].refuse_secret(secret):
        raise Unprocessable(invalid_params=[{"name": "secret", "reason": refusal}])
    return secret


def refuse_characters(secret: str) -> str | None:
    """Why the secret must have been copied wrongly, so that every delivery would be answered 401; None if it may be right.

    It is not trimmed: the tool signs with the secret that it has.
    """
    if not secret.strip():
        return "blank"
    if secret != secret.strip() or not secret.isprintable():
        return "begins or ends with white space, or holds a character that can't be printed: copy it again"
    return None
