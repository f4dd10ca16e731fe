"""English: a module for each reason."""

from services.sentiment.domain.urgency.english import cancellation, legal_threat, money_taken, outage, repeated_contact, safety
from services.sentiment.domain.urgency.english.words import NEGATIONS as NEGATIONS
from shared.events import Urgency

URGENT: dict[Urgency, str] = {
    "legal_threat": legal_threat.URGENT,
    "safety": safety.URGENT,
    "cancellation": cancellation.URGENT,
    "outage": outage.URGENT,
    "money_taken": money_taken.URGENT,
    "repeated_contact": repeated_contact.URGENT,
}

UNLESS: dict[Urgency, str] = {
    "legal_threat": legal_threat.UNLESS,
    "safety": safety.UNLESS,
    "cancellation": cancellation.UNLESS,
    "outage": outage.UNLESS,
    "money_taken": money_taken.UNLESS,
    "repeated_contact": repeated_contact.UNLESS,
}
