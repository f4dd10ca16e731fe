"""Cut quoted and forwarded messages: Gmail, Outlook, Apple Mail and others, in eight languages.

Attributions ("On 3 Nov 2026, Anna wrote:") may be wrapped over lines, or stand in a text whose lines were joined.
"""

import re

ATTRIBUTION = re.compile(
    r"(?<![^\s>])(?:"
    r"On\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\b(?:wrote|writes|said)"
    r"|(?:Am|Den)\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\bschrieb(?: [^:]{1,120}?)?"
    r"|Le\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\ba écrit"
    r"|El\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\bescribió"
    r"|Il\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\bha scritto"
    r"|(?:Em|No dia)\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\bescreveu"
    r"|Op\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\b(?:schreef(?: [^:]{1,120}?)?|het volgende geschreven)"
    r"|(?:في|بتاريخ)\b[^:]{4,60}+(?::[^:]{1,160}?){0,4}?\b(?:كتبت?|بواسطة)(?: [^:]{1,120}?)?"
    r")\s?:(?=\s|$)"
)
DATED = re.compile(r"[\d٠-٩]{1,2}[:.h][\d٠-٩]{2}|[\d٠-٩]{4}|@")
"""A time, a year or an address: part of every attribution that a mail client writes."""
CUES = (
    "wrote",
    "writes",
    "said",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "escreveu",
    "schreef",
    "geschreven",
    "كتب",
    "بواسطة",
)

SEPARATOR = re.compile(
    r"^[ \t>*]*+(?:(?:-{2,}+|_{5,}+)[ \t]*+)?(?:"
    r"original message|forwarded message|begin forwarded message|ursprüngliche nachricht|original-?nachricht"
    r"|weitergeleitete nachricht"
    r"|anfang der weitergeleiteten nachricht|message d['’]origine|message original|message transféré|début du message réexpédié"
    r"|début du message transféré|mensaje original|mensaje reenviado|inicio del mensaje reenviado|messaggio originale"
    r"|messaggio inoltrato|inizio messaggio inoltrato|mensagem original|mensagem encaminhada|mensagem reencaminhada"
    r"|início da mensagem reencaminhada|início da mensagem encaminhada|oorspronkelijk bericht|doorgestuurd bericht"
    r"|begin doorgestuurd bericht|الرسالة الأصلية|رسالة معاد توجيهها|بدء الرسالة المعاد توجيهها"
    r")[ \t]*+(?:-{2,}+|:)[ \t]*+$"
    r"|^[ \t>#*-]*+(?:please )?(?:type your reply|reply|antworten sie|bitte antworten sie|répondez|responda"
    r"|escriba su respuesta"
    r"|rispondi|rispondere|antwoord)\b[^\n]{0,20}(?:above|über|oberhalb|au-dessus|por encima|encima de|sopra|acima|boven)\b"
    r"[^\n]{0,40}(?:line|zeile|linie|ligne|línea|riga|linha|regel|lijn)\b[^\n]{0,20}$",
    re.IGNORECASE | re.MULTILINE,
)
HEADER = re.compile(
    r"^[ \t>*]*(?P<name>from|von|de|da|van|من|sent|date|gesendet|datum|envoyé|enviado(?: el| em)?|fecha|inviato|data|verzonden"
    r"|تم الإرسال|التاريخ|to|an|à|para|a|aan|إلى|subject|betreff|objet|asunto|oggetto|assunto|onderwerp|الموضوع"
    r"|cc)[ \t]?:\*?[ \t]",
    re.IGNORECASE,
)
SENDER = frozenset(["from", "von", "de", "da", "van", "من"])
BLOCK_LINES, BLOCK_HEADERS = 6, 3
"""A message's header: so many header lines within so many lines, the first of them that of the sender."""
RULE = re.compile(r"^[ \t]*[_-]{5,}[ \t]*$")
QUOTED = re.compile(r"^[ \t]*>")


def without_quotes(text: str) -> str:
    """The text without quoted messages. Lines after ">" are left out one by one, since people answer between them."""
    if "\n" not in text:
        return text[: attribution_start(text)].strip()
    end = min(attribution_start(text), separator_start(text))
    lines = text[:end].split("\n")
    lines = lines[: header_line(lines)]
    while lines and RULE.match(lines[-1]):
        lines.pop()
    return "\n".join(line for line in lines if not QUOTED.match(line)).strip()


def attribution_start(text: str) -> int:
    """Where the first attribution begins that is not the text's beginning; the text's length without one."""
    if not any(cue in text for cue in CUES):
        return len(text)
    return next((match.start() for match in ATTRIBUTION.finditer(text) if DATED.search(match[0])), len(text))


def separator_start(text: str) -> int:
    """Where the first line begins that separates a quoted or forwarded message; the text's length without one."""
    match = SEPARATOR.search(text)
    return match.start() if match else len(text)


def header_line(lines: list[str]) -> int:
    """The number of the first line of a message's header (From, Sent, To, Subject); the number of lines without one."""
    names = [match["name"].lower() if (match := HEADER.match(line)) else None for line in lines]
    for number, name in enumerate(names):
        if name in SENDER and len({*filter(None, names[number : number + BLOCK_LINES])}) >= BLOCK_HEADERS:
            return number
    return len(lines)
