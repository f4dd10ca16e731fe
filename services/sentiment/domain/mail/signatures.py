"""Cut signatures, closing formulas, disclaimers and banners of mail systems, in eight languages."""

import re

DASHES = re.compile(r"^--[ \t]?$")
"""The separator of signatures (RFC 3676, 4.3)."""
CLOSING = re.compile(
    r"^[ \t]*(?:(?:with |my )?(?:kind|best|warm|kindest|warmest)?[ \t]?(?:regards|wishes)|yours (?:sincerely|faithfully"
    r"|truly)|sincerely"
    r"|cheers|(?:mit )?(?:freundlich|best|herzlich|viel|lieb|schön)e[nr]? gr(?:ü|ue)(?:ß|ss)en?(?: aus [^\n]{1,30})?"
    r"|hochachtungsvoll|mfg|lg|vg"
    r"|(?:bien )?cordialement|(?:sincères )?salutations(?: distinguées)?|bien à vous"
    r"|(?:un )?(?:cordial )?saludos?(?: cordiales)?|atentamente|(?:cordiali|distinti) saluti|cordialmente"
    r"|(?:com os )?(?:melhores )?cumprimentos|atenciosamente|met vriendelijke groet(?:en)?|(?:hartelijke "
    r"|vriendelijke )?groet(?:en|jes)?|mvg"
    r"|مع (?:أطيب )?(?:تحياتي|التحيات|التحية|فائق الاحترام)|تحياتي)[ \t]*[,.!،]?[ \t]*$",
    re.IGNORECASE,
)
MOST_LINES, LONGEST_LINE = 10, 80
"""Lines after a closing formula at most, and characters of such a line: names, titles, addresses."""
DEVICE = re.compile(
    r"^[ \t]*(?:sent (?:from|with|via) (?:my |outlook|proton|yahoo|gmail|mailbird|samsung)|get outlook for"
    r"|von meinem \S+ gesendet"
    r"|gesendet (?:von|mit) (?:meinem|mail|outlook|der)|outlook für \S+ (?:beziehen|herunterladen)|envoyé (?:de|depuis) mon"
    r"|envoyé à partir de"
    r"|obtenir outlook|télécharger outlook|enviado (?:desde|do|a partir do) (?:mi|meu|meu)|obtener outlook|obter o outlook"
    r"|inviato da(?:l mio)? |scarica outlook|verstuurd vanaf mijn|verzonden (?:vanaf|met) (?:mijn|outlook)"
    r"|outlook voor \S+ downloaden"
    r"|(?:أ|تم ال)?(?:رسلت|إرسال|ُرسلت) من )",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"^[ \t*]*(?:confidentiality notice|legal notice|disclaimer\b ?:|haftungsausschluss|vertraulichkeitshinweis"
    r"|avis de confidentialité"
    r"|aviso (?:legal|de confidencialidad)|avviso di riservatezza|aviso de confidencialidade"
    r"|(?:this|the (?:information|content)[^\n]{0,40}) (?:e-?mail|message|communication|transmission)\b[^\n]{0,160}"
    r"(?:confidential|privileged|intended (?:only|solely|recipient|for))"
    r"|diese (?:e-?mail|nachricht)\b[^\n]{0,160}(?:vertraulich|rechtlich geschützt|nur für den)"
    r"|ce (?:message|courriel|mail)\b[^\n]{0,160}(?:confidentiel|exclusive|destinataire)"
    r"|este (?:mensaje|correo)\b[^\n]{0,160}(?:confidencial|destinatario)"
    r"|(?:questo messaggio|questa e-?mail|le informazioni contenute)\b[^\n]{0,160}(?:riservat|confidenzial|destinatari)"
    r"|esta (?:mensagem|comunicação)\b[^\n]{0,160}(?:confidencia|destinatári)"
    r"|(?:dit bericht|deze e-?mail)\b[^\n]{0,160}(?:vertrouwelijk|uitsluitend)"
    r"|هذه الرسالة[^\n]{0,160}(?:سرية|سري|المرسل إليه)"
    r"|please consider the environment before|bitte (?:denken|prüfen) sie[^\n]{0,40}umwelt|pensez à l['’]environnement"
    r"|antes de imprimir|prima di stampare|denk aan het milieu)",
    re.IGNORECASE,
)
BANNER = re.compile(
    r"^[ \t*\[]*(?:caution|warning|external(?: e-?mail| sender)?|achtung|externe? e-?mail|attention|precaución|cuidado"
    r"|attenzione|let op)\b"
    r"[^\n]{0,40}\b(?:external|extern|outside|außerhalb|externe|externo|esterno|fuera de|fora da|buiten)\b[^\n]*$"
    r"|^[ \t]*\[(?:external|extern|externe|externo|esterno)\][ \t]*$",
    re.IGNORECASE,
)
"""A line that a mail system adds above a message from outside the company."""


def without_signature(text: str) -> str:
    """The text up to its signature or disclaimer, without the banners above it. The text itself if nothing else is left."""
    if "\n" not in text:
        return text
    lines = [line for line in text.split("\n") if not BANNER.match(line)]
    end = next((number for number, line in enumerate(lines) if ends_message(lines, number, line)), len(lines))
    own = "\n".join(lines[:end]).strip()
    return own or text


def ends_message(lines: list[str], number: int, line: str) -> bool:
    """Whether a line begins the signature or a disclaimer. What the author wrote is above it."""
    if not number or not line:
        return False
    if DASHES.match(line) or DEVICE.match(line) or DISCLAIMER.match(line):
        return True
    return bool(CLOSING.match(line)) and is_signature(lines[number + 1 :])


def is_signature(lines: list[str]) -> bool:
    """Whether the lines after a closing formula can be a signature: few and short. Below it there may be a disclaimer."""
    end = next(
        (n for n, line in enumerate(lines) if DASHES.match(line) or DEVICE.match(line) or DISCLAIMER.match(line)), len(lines)
    )
    filled = [line for line in lines[:end] if line.strip()]
    return len(filled) <= MOST_LINES and all(len(line) <= LONGEST_LINE for line in filled)
