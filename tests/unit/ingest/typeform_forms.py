"""A form of Typeform and its responses, in the shapes of its Responses API."""

from typing import Any

FORM = {
    "id": "lT4Z3j",
    "title": "Webhooks example",
    "fields": [
        {"id": "q1", "ref": "nps", "type": "nps", "title": "Would you recommend us?", "properties": {"steps": 11}},
        {
            "id": "g1",
            "type": "group",
            "title": "More",
            "properties": {"fields": [{"id": "q2", "ref": "why", "type": "short_text", "title": "Why?", "validations": {}}]},
        },
    ],
}


def listed(token: str, value: int = 9, minute: int = 0, **changed: Any) -> dict[str, Any]:
    """A response as the Responses API lists it."""
    return {
        "landing_id": token,
        "token": token,
        "response_id": token,
        "landed_at": f"2026-11-20T09:{minute:02}:00Z",
        "submitted_at": f"2026-11-20T10:{minute:02}:00Z",
        "metadata": {"user_agent": "Mozilla/5.0", "network_id": "n"},
        "hidden": {"user_id": "c-77"},
        "calculated": {"score": 0},
        "answers": [
            {"field": {"id": "q1", "ref": "nps", "type": "nps"}, "type": "number", "number": value},
            {"field": {"id": "q2", "ref": "why", "type": "short_text"}, "type": "text", "text": "It is fast."},
        ],
        **changed,
    }


def page(*responses: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    """A page of a form's responses."""
    return {"total_items": len(responses) if total is None else total, "page_count": 1, "items": list(responses)}


def path(form: str = "lT4Z3j", before: str | None = None, size: int = 100, since: str = "2026-01-01T00%3A00%3A00") -> str:
    """The path of a page."""
    rest = f"&before={before}" if before else ""
    return f"/forms/{form}/responses?page_size={size}&since={since}&response_type=completed{rest}"
