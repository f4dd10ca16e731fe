"""Every tool whose webhooks we understand: one row each. The functions are pure; what they need is handed to them."""

from services.ingest.domain.providers import standard, typeform, zendesk
from services.ingest.domain.providers.provider import NotVerified, Parsed, Provider

PROVIDERS: dict[str, Provider] = {
    "standard": Provider(
        verify=standard.verify,
        parse=standard.parse,
        new_secret=standard.new_secret,
        refuse_secret=standard.refuse_secret,
        keeps=("webhook-id", "webhook-timestamp"),
    ),
    "typeform": Provider(
        verify=typeform.verify,
        parse=typeform.parse,
        new_secret=typeform.new_secret,
        refuse_secret=typeform.refuse_secret,
        keeps=(),
    ),
    "zendesk": Provider(
        verify=zendesk.verify,
        parse=zendesk.parse,
        new_secret=zendesk.new_secret,
        refuse_secret=zendesk.refuse_secret,
        keeps=("x-zendesk-webhook-invocation-id", "x-zendesk-webhook-signature-timestamp", "x-zendesk-webhook-id"),
    ),
}

__all__ = ["PROVIDERS", "NotVerified", "Parsed", "Provider"]
