"""Events and documents of HubSpot, in the shapes of its webhooks and its API."""

import json
from typing import Any

TICKET_EVENT: dict[str, Any] = {
    "eventId": 100,
    "subscriptionId": 12345,
    "portalId": 62515,
    "appId": 54321,
    "occurredAt": 1795168800000,
    "subscriptionType": "ticket.propertyChange",
    "attemptNumber": 0,
    "objectId": 9988776655,
    "propertyName": "hs_pipeline_stage",
    "propertyValue": "4",
    "changeSource": "CRM_UI",
    "sourceId": "userId:12345",
}
SUBMISSION_EVENT: dict[str, Any] = {
    "eventId": 101,
    "subscriptionId": 12346,
    "portalId": 62515,
    "appId": 54321,
    "occurredAt": 1795168800000,
    "subscriptionType": "object.creation",
    "objectTypeId": "0-19",
    "attemptNumber": 0,
    "objectId": 553311,
    "changeFlag": "CREATED",
    "changeSource": "FORM",
}
PIPELINES: dict[str, Any] = {
    "results": [
        {
            "id": "0",
            "label": "Support",
            "stages": [
                {"id": "1", "label": "New", "metadata": {"ticketState": "OPEN"}},
                {"id": "2", "label": "Waiting on contact", "metadata": {"ticketState": "OPEN"}},
                {"id": "4", "label": "Closed", "metadata": {"ticketState": "CLOSED"}},
            ],
        }
    ]
}
CONTACT = {"id": "551", "properties": {"email": "jo@example.org", "hs_object_id": "551"}}
OWNER = {
    "id": "77",
    "email": "ada@shop.example",
    "firstName": "Ada",
    "lastName": "Byron",
    "userId": 12345,
    "teams": [{"id": "5", "name": "Billing", "primary": True}],
}


THREAD_ID = "8001"
THREAD: dict[str, Any] = {
    "id": THREAD_ID,
    "createdAt": "2026-11-20T07:59:00Z",
    "status": "OPEN",
    "associatedContactId": "551",
    "threadAssociations": {"associatedTicketId": "9988776655"},
}
MESSAGE_EVENT: dict[str, Any] = {
    "eventId": 102,
    "subscriptionId": 12347,
    "portalId": 62515,
    "appId": 54321,
    "occurredAt": 1795168800000,
    "subscriptionType": "conversation.newMessage",
    "attemptNumber": 0,
    "objectId": int(THREAD_ID),
    "messageId": "m-2",
    "messageType": "MESSAGE",
    "changeFlag": "NEW_MESSAGE",
}


def message(identity: str, at: str, sender: str, **changed: Any) -> dict[str, Any]:
    """A message of a conversation. `sender` is an actor: `V-…` is a visitor, `A-…` a user, `B-…` a bot."""
    return {
        "id": identity,
        "conversationsThreadId": THREAD_ID,
        "createdAt": at,
        "createdBy": sender,
        "type": "MESSAGE",
        "direction": "INCOMING" if sender.startswith("V-") else "OUTGOING",
        "text": f"The words of {identity}",
        "senders": [{"actorId": sender, "name": "Jo"}],
        **changed,
    }


MESSAGES: dict[str, Any] = {
    "results": [
        message("m-1", "2026-11-20T07:59:00Z", "V-551"),
        message("m-2", "2026-11-20T08:40:00Z", "A-12345"),
        message("m-3", "2026-11-20T08:50:00Z", "A-999", type="COMMENT"),
        message("m-4", "2026-11-20T08:55:00Z", "V-551"),
        message("m-5", "2026-11-20T08:56:00Z", "B-1"),
        message("m-6", "2026-11-20T08:57:00Z", "S-hubspot", type="THREAD_STATUS_CHANGE"),
    ]
}


def event(base: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps(base | changed).encode()


def ticket(**properties: Any) -> dict[str, Any]:
    """A ticket that was created, assigned, answered and closed."""
    return {
        "id": "9988776655",
        "createdAt": "2026-11-20T08:00:00.123Z",
        "updatedAt": "2026-11-20T10:00:00Z",
        "archived": False,
        "properties": {
            "createdate": "2026-11-20T08:00:00.123Z",
            "hs_lastmodifieddate": "2026-11-20T10:00:00Z",
            "content": "My invoice is wrong.",
            "source_type": "EMAIL",
            "hs_object_source": "CONVERSATIONS",
            "hs_pipeline": "0",
            "hs_pipeline_stage": "4",
            "hubspot_owner_id": "77",
            "hubspot_team_id": "5",
            "hs_ticket_priority": "HIGH",
            "plan": "pro",
        }
        | properties,
        "propertiesWithHistory": {
            "hs_pipeline_stage": [
                {"value": "4", "timestamp": "2026-11-20T10:00:00Z", "sourceType": "CRM_UI"},
                {"value": "2", "timestamp": "2026-11-20T09:00:00Z", "sourceType": "CRM_UI"},
                {"value": "1", "timestamp": "2026-11-20T08:00:00.123Z", "sourceType": "CONVERSATIONS"},
            ],
            "hubspot_owner_id": [{"value": "77", "timestamp": "2026-11-20T08:30:00Z"}],
            "hubspot_team_id": [
                {"value": "5", "timestamp": "2026-11-20T08:30:00Z"},
                {"value": "", "timestamp": "2026-11-20T08:10:00Z"},
            ],
            "hs_ticket_priority": [{"value": "HIGH", "timestamp": "2026-11-20T08:05:00Z"}],
        },
        "associations": {"contacts": {"results": [{"id": "551", "type": "ticket_to_contact"}]}},
    }


def submission(**properties: Any) -> dict[str, Any]:
    return {
        "id": "553311",
        "createdAt": "2026-11-20T09:59:59Z",
        "updatedAt": "2026-11-20T10:00:00Z",
        "properties": {
            "hs_survey_type": "NPS",
            "hs_value": "9",
            "hs_response_group": "PROMOTER",
            "hs_content": "Quick and kind.",
            "hs_survey_channel": "EMAIL",
            "hs_survey_id": "5",
            "hs_survey_name": "After support",
            "hs_submission_timestamp": "2026-11-20T09:58:00Z",
            "hs_contact_id": "551",
            "hs_lastmodifieddate": "2026-11-20T10:00:00Z",
            "plan": "pro",
        }
        | properties,
    }


def ticket_documents(**properties: Any) -> dict[str, Any]:
    return {"object": ticket(**properties), "pipelines": PIPELINES, "contact": CONTACT, "owner": OWNER}


def submission_documents(**properties: Any) -> dict[str, Any]:
    return {"object": submission(**properties), "contact": CONTACT}
