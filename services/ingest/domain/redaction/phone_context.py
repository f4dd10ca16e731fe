"""Patterns for the text around digits that shows whether they are a phone number or something else."""

import re

from services.ingest.domain.redaction.cards import CURRENCY
from services.ingest.domain.redaction.searching import DASHES

DATE = (
    rf"(?<!\d)(?:\d{{4}}(?P<y>[./{DASHES}])(?:0?[1-9]|1[0-2])(?P=y)(?:0?[1-9]|[12]\d|3[01])|"
    rf"(?:0?[1-9]|[12]\d|3[01])(?P<d>[./{DASHES}])(?:0?[1-9]|[12]\d|3[01])(?P=d)(?:\d{{4}}|\d\d)|"
    rf"(?:0?[1-9]|[12]\d|3[01])\s(?:0[1-9]|1[0-2])\s(?:19|20)\d\d)(?!\d|[./{DASHES}]\d)"
)
TIMES = r"(?<![\d-])(?:[01]\d|2[0-4])[0-5]\d ?[-\u2013] ?(?:[01]\d|2[0-4])[0-5]\d(?!\d)"
"""A span of time without colons: 0800-1800."""
ADDRESS = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
"""An IPv4 address."""
PARCEL = r"\b1[Zz](?: ?[0-9A-Za-z]){16}\b"
"""A UPS tracking number."""
NO_PHONE = re.compile(f"{DATE}|{TIMES}|{ADDRESS}|{PARCEL}")
PHONE_WORD = (
    r"(?:call(?:ed|ing)?|(?:tele)?phone|tel|tél|tlf|mob(?:ile?|il)?|cell(?:phone|ular(?:e)?)?|ring|text|sms|whats\s?app|handy(?:nummer)?|"
    r"telefon(?:nummer|isch|o|e)?|telefoon(?:nummer)?|rufnummer|anruf(?:en)?|rufen|erreichbar|fax|teléfono|móvil|llám\w{1,4}|llamar(?:me)?|"
    r"telemóvel|liguem?|téléphone|portable|appel\w{0,3}|chiama\w{0,4}|bel|my number|meine nummer|mijn nummer|mi número|"
    r"(?:o )?meu número|mon numéro|(?:il )?mio numero|\w?هاتف\w{0,3}|رقمي|جوال\w{0,3}|اتصل\w{0,3}|واتساب)"
)
PHONE_LINK = (
    r"(?:me|us|him|her|back|again|at|on|under|number|no|nr|num|nummer|is|was|mich|uns|unter|ist|lautet|an|auf|al|el|es|número|nos|"
    r"au|le|est|numéro|é|è|il|numero|op|mij|ons|بي|على|هو)"
)
PHONE_FOLLOWS = re.compile(rf"\b{PHONE_WORD}\b(?:[\s.:,-]{{1,3}}{PHONE_LINK}\b){{0,4}}[\s.:,#=(-]{{0,4}}\Z", re.IGNORECASE)
"""Words that announce a phone number, up to the place where it starts."""
OTHER_FOLLOWS = re.compile(
    r"(?:#|\b(?:order|invoice|ticket|case|ref|reference|tracking|parcel|shipment|serial|article|item|account|customer|contract|sku|id|"
    r"isbn|ean|imei|version|case|claim|policy|police|model|modell|part|batch|lot|booking|reservation|flight|gate|size|s/n|sn|p/n|pn|po|"
    r"buchung\w*|reserva|póliza|modelo|modèle|modello|bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|sendung\w*|artikel\w*|vorgang\w*|vertrag\w*|serien\w*|"
    r"commande|facture|contrat|suivi|pedido|factura|contrato|encomenda|fatura|ordine|fattura|bestelling|factuur)"
    r"[ .:#-]{0,3}(?:(?:no|nr|n[°º]|num|number|nummer|id|is|was|ist)[ .:#-]{0,3}){0,2})\Z",
    re.IGNORECASE,
)
"""Words that announce a number of another kind, such as an order."""
ALSO = re.compile(r"[\s,;/|&+]{0,4}(?:or|and|oder|und|ou|et|o|y|e|of|en)?[\s,;/|&+(]{0,4}", re.IGNORECASE)
"""The text between two phone numbers of one list."""
PLUS = re.compile(r"(?:\(\s?)?\+\s?\(?\Z")
"""A plus before a calling code."""
GLUED = re.compile(r"#\Z|[\w][/\-\u2010-\u2015]\Z|\d[.,]\Z|[€$£¥]\s?\Z|\w\Z")
"""Text before digits that are part of a longer word or number, or an amount."""
NOT_BEHIND = re.compile(rf"\w|:\d|{CURRENCY}", re.IGNORECASE)
LOOK_BACK = 40
"""Characters before a number that are searched for such words."""
