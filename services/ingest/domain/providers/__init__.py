"""The tools whose webhooks we read, one row each."""

from typing import Any

from services.ingest.domain.connection import FieldMapping, ProviderSettings
from services.ingest.domain.providers import (
    asknicely,
    chatwoot,
    cloudevents,
    delighted,
    formbricks,
    freshdesk,
    front,
    google_forms,
    gorgias,
    helpscout,
    hubspot,
    intercom,
    jira,
    jotform,
    qualtrics,
    standard,
    surveymonkey,
    survicate,
    tally,
    trustpilot,
    typeform,
    zammad,
    zendesk,
)
from services.ingest.domain.providers.provider import Headers, Parsed, Provider, Reply, Request, ToolApi
from services.ingest.domain.signatures import NotVerified

PROVIDERS: dict[str, Provider[Any]] = {
    "asknicely": asknicely.PROVIDER,
    "chatwoot": chatwoot.PROVIDER,
    "cloudevents": cloudevents.PROVIDER,
    "delighted": delighted.PROVIDER,
    "formbricks": formbricks.PROVIDER,
    "freshdesk": freshdesk.PROVIDER,
    "front": front.PROVIDER,
    "google_forms": google_forms.PROVIDER,
    "gorgias": gorgias.PROVIDER,
    "helpscout": helpscout.PROVIDER,
    "hubspot": hubspot.PROVIDER,
    "intercom": intercom.PROVIDER,
    "jira": jira.PROVIDER,
    "jotform": jotform.PROVIDER,
    "qualtrics": qualtrics.PROVIDER,
    "standard": standard.PROVIDER,
    "surveymonkey": surveymonkey.PROVIDER,
    "survicate": survicate.PROVIDER,
    "tally": tally.PROVIDER,
    "trustpilot": trustpilot.PROVIDER,
    "typeform": typeform.PROVIDER,
    "zammad": zammad.PROVIDER,
    "zendesk": zendesk.PROVIDER,
}


def read_settings(provider: str, value: Any) -> ProviderSettings:
    """A connection's `mapping`, as the provider's settings. Raises ValidationError if it does not fit the model.

    A connection without a hook, and one of a provider that this version does not have, has no settings.
    """
    return PROVIDERS[provider].settings.model_validate(value) if provider in PROVIDERS else FieldMapping()


__all__ = ["PROVIDERS", "Headers", "NotVerified", "Parsed", "Provider", "Reply", "Request", "ToolApi", "read_settings"]
