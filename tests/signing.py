"""Signatures as the tools make them, written apart from the code under test."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4


def standard(secret: str, body: bytes, *, delivery: str | None = None, at: float | None = None) -> dict[str, str]:
    """Standard Webhooks headers; `at` is unix seconds, now by default."""
    delivery = delivery or f"msg_{uuid4().hex}"
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_") + "==")
    mac = hmac.digest(key, f"{delivery}.{stamp}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def shared_secret(secret: str, body: bytes) -> dict[str, str]:
    """The header in which tools that sign nothing present the secret."""
    return {"content-type": "application/json", "x-earshot-secret": secret}


def chatwoot(secret: str, body: bytes, *, at: float | None = None, delivery: str | None = None) -> dict[str, str]:
    """Chatwoot's headers: the hexadecimal HMAC-SHA256 of timestamp, dot and body; `at` is Unix seconds, now by default."""
    stamp = str(int(time.time() if at is None else at))
    mac = hmac.digest(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-chatwoot-signature": f"sha256={mac.hex()}",
        "x-chatwoot-timestamp": stamp,
        "x-chatwoot-delivery": delivery or uuid4().hex,
    }


def cloudevents(secret: str, body: bytes) -> dict[str, str]:
    """The headers of a structured event, or of a batch if the body is an array. Nothing of the body is signed."""
    kind = "cloudevents-batch" if body.lstrip().startswith(b"[") else "cloudevents"
    return {"content-type": f"application/{kind}+json", "authorization": f"Bearer {secret}"}


def delighted(secret: str, body: bytes) -> dict[str, str]:
    """Delighted's header: the hexadecimal HMAC-SHA256 of the body."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"content-type": "application/json", "x-delighted-webhook-signature": f"sha256={mac.hex()}"}


def front(secret: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """The headers of a webhook of a Front application: the base64 HMAC-SHA256 of timestamp, colon and body."""
    stamp = str(int((time.time() if at is None else at) * 1000))
    mac = hmac.digest(secret.encode(), stamp.encode() + b":" + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-front-request-timestamp": stamp,
        "x-front-signature": base64.b64encode(mac).decode(),
    }


def front_rule(secret: str, body: bytes) -> dict[str, str]:
    """The header of a webhook of a rule in Front: the base64 HMAC-SHA1 of the body."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha1)
    return {"content-type": "application/json", "x-front-signature": base64.b64encode(mac).decode()}


def helpscout(secret: str, body: bytes, *, event: str = "convo.created") -> dict[str, str]:
    """Help Scout's headers: the base64 HMAC-SHA1 of the body, and the event, which is not signed."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha1)
    return {
        "content-type": "application/json",
        "x-helpscout-event": event,
        "x-helpscout-signature": base64.b64encode(mac).decode(),
    }


def hubspot(secret: str, body: bytes, *, url: str, at: float | None = None) -> dict[str, str]:
    """HubSpot's headers, version 3; `at` is Unix seconds, now by default. The URL is signed as it is public."""
    stamp = str(int((time.time() if at is None else at) * 1000))
    mac = hmac.digest(secret.encode(), b"POST" + url.encode() + body + stamp.encode(), hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-hubspot-request-timestamp": stamp,
        "x-hubspot-signature-v3": base64.b64encode(mac).decode(),
    }


def intercom(secret: str, body: bytes) -> dict[str, str]:
    """Intercom's header: the hexadecimal HMAC-SHA1 of the body."""
    return {
        "content-type": "application/json",
        "x-hub-signature": f"sha1={hmac.digest(secret.encode(), body, hashlib.sha1).hex()}",
    }


def survicate(secret: str, body: bytes) -> dict[str, str]:
    """Survicate's header: the hexadecimal HMAC-SHA256 of the body."""
    return {"content-type": "application/json", "hmac": hmac.digest(secret.encode(), body, hashlib.sha256).hex()}


def tally(secret: str, body: bytes) -> dict[str, str]:
    """Tally's header: the base64 HMAC-SHA256 of the body."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"content-type": "application/json", "tally-signature": base64.b64encode(mac).decode()}


def jira(secret: str, body: bytes, *, delivery: str | None = None) -> dict[str, str]:
    """Jira's headers: the hexadecimal HMAC-SHA256 of the body, and the id of the delivery, which is not signed."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-hub-signature": f"sha256={mac.hex()}",
        "x-atlassian-webhook-identifier": delivery or str(uuid4()),
    }


def typeform(secret: str, body: bytes) -> dict[str, str]:
    """Typeform's header: like GitHub's, but base64."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha256)
    return {"content-type": "application/json", "typeform-signature": f"sha256={base64.b64encode(mac).decode()}"}


def zammad(secret: str, body: bytes, *, delivery: str | None = None) -> dict[str, str]:
    """Zammad's headers: the hexadecimal HMAC-SHA1 of the body, and the id of the job, which is not signed."""
    return {
        "content-type": "application/json",
        "x-hub-signature": f"sha1={hmac.digest(secret.encode(), body, hashlib.sha1).hex()}",
        "x-zammad-delivery": delivery or str(uuid4()),
    }


def zendesk(secret: str, body: bytes, *, at: datetime | None = None) -> dict[str, str]:
    """Zendesk's headers: the literal secret over timestamp and body, no separator."""
    stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    mac = hmac.digest(secret.encode(), stamp.encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "x-zendesk-webhook-signature": base64.b64encode(mac).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
        "x-zendesk-webhook-invocation-id": uuid4().hex,
    }


def surveymonkey(secret: str, body: bytes) -> dict[str, str]:
    """SurveyMonkey's headers: base64 HMAC-SHA1 under `client_id&client_secret`, with its own content type."""
    mac = hmac.digest(secret.encode(), body, hashlib.sha1)
    return {
        "content-type": "application/vnd.surveymonkey.response.v1+json",
        "sm-apikey": secret.partition("&")[0],
        "sm-signature": base64.b64encode(mac).decode(),
    }


SIGN: dict[str, Callable[..., dict[str, str]]] = {
    "asknicely": shared_secret,
    "chatwoot": chatwoot,
    "cloudevents": cloudevents,
    "delighted": delighted,
    "formbricks": standard,
    "freshdesk": shared_secret,
    "front": front,
    "google_forms": standard,
    "gorgias": shared_secret,
    "helpscout": helpscout,
    "hubspot": hubspot,
    "intercom": intercom,
    "jira": jira,
    "jotform": shared_secret,
    "qualtrics": shared_secret,
    "standard": standard,
    "surveymonkey": surveymonkey,
    "survicate": survicate,
    "tally": tally,
    "trustpilot": shared_secret,
    "typeform": typeform,
    "zammad": zammad,
    "zendesk": zendesk,
}
