"""Payloads of each provider with any fields inside: the names of fields that it reads, and its envelope."""

from collections.abc import Callable
from typing import Any

FIELDS = {
    "asknicely": ["count", "id", "score", "comment", "sent", "responded", "survey_template", "scorecard1", "email"],
    "chatwoot": ["id", "status", "priority", "meta", "messages", "created_at", "updated_at", "channel", "additional_attributes"],
    "cloudevents": ["specversion", "id", "source", "type", "time", "data", "data_base64", "datacontenttype"],
    "delighted": ["id", "created_at", "updated_at", "score", "comment", "survey_type", "person", "additional_answers"],
    "formbricks": ["id", "createdAt", "updatedAt", "data", "survey", "surveyId", "contact", "contactAttributes", "meta"],
    "freshdesk": ["event", "id", "status", "priority", "group", "agent", "requester", "text", "source"],
    "front": ["id", "type", "is_inbound", "created_at", "text", "author", "posted_at", "category"],
    "google_forms": ["responseId", "submittedAt", "sentAt", "formId", "respondentEmail", "answers"],
    "gorgias": ["id", "status", "created", "updated", "message", "written", "written_by_agent", "score", "scored", "spam"],
    "helpscout": ["id", "createdAt", "userUpdatedAt", "status", "assignee", "threads", "customFields", "rating", "ticketId"],
    "hubspot": ["eventId", "occurredAt", "objectId", "primaryObjectId", "mergedObjectIds", "newObjectId", "portalId"],
    "intercom": [
        "id",
        "created_at",
        "updated_at",
        "source",
        "state",
        "contacts",
        "conversation_parts",
        "conversation_rating",
        "ticket",
    ],
    "jira": ["created", "reporter", "creator", "assignee", "status", "priority", "description", "labels"],
    "jotform": ["q1_", "q2_x", "q3_email", "q4_customerId", "rawRequest", "slug"],
    "qualtrics": ["Topic", "SurveyID", "ResponseID", "CompletedDate", "MSG", "HMAC"],
    "standard": ["data"],
    "surveymonkey": ["event_id", "object_type", "object_id", "filter_id", "resources"],
    "survicate": ["responseUuid", "timestamp", "survey", "respondent", "question", "choice", "text", "fields"],
    "tally": ["submissionId", "createdAt", "formId", "formName", "fields"],
    "trustpilot": ["id", "stars", "title", "text", "content", "language", "createdAt", "consumer", "product", "events"],
    "typeform": ["form_id", "token", "submitted_at", "answers", "hidden", "definition"],
    "zammad": ["id", "created_at", "updated_at", "state", "article_ids", "owner", "group_id", "sender", "body", "internal"],
    "zendesk": ["created_at", "description", "priority", "status", "satisfaction_score", "comment", "current", "via", "group_id"],
}
EVENTS = ["created", "status_changed", "comment_added", "priority_changed", "group_assignment_changed", "merged", "csat_received"]
TRIGGER = ["id", "created_at", "updated_at", "status", "priority", "group", "rating", "comment", "requester"]


TIMES = {"created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z"}
ENVELOPES: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "asknicely": lambda fields, _: {"person": fields, "question": {"id": "1", "responded": "1763625600"} | fields},
    "chatwoot": lambda fields, _: {"event": "conversation_created", "created_at": 1763625600} | fields,
    "cloudevents": lambda fields, _: {"specversion": "1.0", "id": "1", "source": "/shop", "type": "rated"} | fields,
    "delighted": lambda fields, _: {
        "event_type": "survey_response.updated",
        "event_id": "e",
        "event_data": {"id": "r", "created_at": 1763625600} | fields,
    },
    "formbricks": lambda fields, _: {
        "event": "responseFinished",
        "data": {"id": "r-1", "createdAt": TIMES["created_at"]} | fields,
    },
    "freshdesk": lambda fields, _: {"earshot": 1, "event": "created", "id": "1"} | fields,
    "front": lambda fields, _: {
        "type": "inbound",
        "id": "evt_1",
        "emitted_at": 1763625600,
        "conversation": {"id": "cnv_1"} | fields,
        "target": {"data": fields},
    },
    "google_forms": lambda fields, _: {"source": "google_forms", "responseId": "r", "answers": []} | fields,
    "gorgias": lambda fields, _: {"earshot": 1, "id": "1", "created": TIMES["created_at"]} | fields,
    "helpscout": lambda fields, _: {"id": 1, "createdAt": "2026-11-20T10:00:00Z"} | fields,
    "hubspot": lambda fields, event: (
        {
            "subscriptionType": f"ticket.{'merge' if event == 'merged' else 'deletion'}",
            "occurredAt": 1763625600000,
        }
        | fields
    ),
    "intercom": lambda fields, _: {"topic": "conversation.rating.added", "created_at": 1763625600, "data": {"item": fields}},
    "jira": lambda fields, _: {
        "webhookEvent": "jira:issue_created",
        "timestamp": 1763625600000,
        "issue": {"id": "1", "fields": fields},
    },
    "jotform": lambda fields, _: {"formID": "1", "submissionID": "2", "rawRequest": fields},
    "qualtrics": lambda fields, _: {"SurveyID": "SV_1", "ResponseID": "R_1"} | fields,
    "surveymonkey": lambda fields, _: {"event_type": "response_completed", "event_id": "e"} | fields,
    "survicate": lambda fields, _: {
        "messageId": "m",
        "event": {"questionAnswered": {"responseUuid": "r", "question": {"id": 1}} | fields},
    },
    "tally": lambda fields, _: {"eventId": "e", "eventType": "FORM_RESPONSE", "data": {"submissionId": "s"} | fields},
    "trustpilot": lambda fields, event: {
        "eventName": f"service-review-{'deleted' if event == 'merged' else 'created'}",
        "eventData": {"id": "r", "createdAt": TIMES["created_at"]} | fields,
    },
    "typeform": lambda fields, _: {"event_id": "e", "event_type": "form_response", "form_response": fields},
    "zammad": lambda fields, _: {
        "ticket": {"id": 1, "state": "open"} | TIMES | fields,
        "article": {"sender": "Agent"} | TIMES | fields,
    },
    "zendesk": lambda fields, event: {
        "id": "e",
        "type": f"zen:event-type:ticket.{event}",
        "time": fields.get("x"),
        "detail": fields,
        "event": fields,
    },
}


def payload(provider: str, fields: dict[str, Any], event: str) -> dict[str, Any]:
    """A payload in the envelope of the provider, with any fields inside."""
    envelope = ENVELOPES.get(provider)
    return envelope(fields, event) if envelope else fields
