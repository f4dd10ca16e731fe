"""Recognise automatic replies and bounces in eight languages. Help desks store them like messages of customers.

A text about an absence alone ("I'm out of the office until Monday, please deliver then") may be a customer's own. So an absence
counts only together with a sign of automation, a return, or another contact.
"""

import re

READ_CHARACTERS = 1_500
SUBJECT = re.compile(
    r"^\W*(?:(?:re|aw|wg|fw|fwd): ?)?(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response|responder)"
    r"|out of (?:the )?office(?: reply| notification)?"
    r"|automatische antwort|abwesenheits(?:notiz|nachricht|meldung|assistent)|réponse automatique(?: d['’]absence)?"
    r"|message d['’]absence|absence du bureau"
    r"|respuesta automática|mensaje automático|fuera de (?:la )?oficina|risposta automatica|messaggio automatico"
    r"|fuori (?:sede|ufficio)"
    r"|resposta automática|mensagem automática|(?:fora|ausente) do escritório|automatisch(?:e)? (?:antwoord|reactie)"
    r"|afwezigheids(?:bericht|melding)"
    r"|الرد التلقائي|رد تلقائي|رد آلي|خارج المكتب)(?: ?[:\n–—]|[.!]? *$)"
)
BOUNCE = re.compile(
    r"^\W*(?:delivery status notification|undeliverable ?:|undelivered mail|mail delivery (?:failed|failure|subsystem|system"
    r"|delayed)"
    r"|returned mail|this is the mail system at host|failure notice|unzustellbar ?:|non remis ?:|no se puede entregar ?:"
    r"|non recapitabile ?:"
    r"|não entregue ?:|onbestelbaar ?:|غير قابل للتسليم ?:)"
)
UNDELIVERED = re.compile(
    r"(?:message|mail)[^\n]{0,80}(?:could ?n[o']t be delivered|was ?n[o']t delivered|undeliverable)"
    r"|nachricht[^\n]{0,80}(?:nicht zugestellt|unzustellbar)|message[^\n]{0,80}(?:n['’]a pas (?:pu être|été) (?:remis"
    r"|distribué))"
    r"|mensaje[^\n]{0,80}no (?:se ha podido|se pudo|pudo ser) entreg|messaggio[^\n]{0,80}non (?:è stato"
    r"|può essere) (?:recapitato|consegnato)"
    r"|mensagem[^\n]{0,80}não (?:pôde|pode|foi) (?:ser )?entregue|bericht[^\n]{0,80}niet (?:worden )?(?:bezorgd|afgeleverd)"
)
MAILBOX = re.compile(
    r"smtp|postmaster|mailer-daemon|\b5\d\d[ -]5\.\d\.\d|\b550\b|mail system|mailbox (?:is )?full|recipient['’]?s? (?:address"
    r"|server|mailbox)"
)
AUTOMATED = re.compile(
    r"this is an? (?:automated|automatic|auto-generated)|automatically generated|automated (?:message|response|reply|e-?mail)"
    r"|auto-?reply"
    r"|automatisch (?:generiert|erstellt|erzeugt|versandt)|généré automatiquement|(?:message|réponse|courriel) automatique"
    r"|(?:generado|generada|enviado) automáticamente|mensaje automático|(?:generato|generata|inviato) automaticamente"
    r"|messaggio automatico"
    r"|(?:gerada|gerado|enviada) automaticamente|mensagem automática|automatisch (?:gegenereerd|verzonden)|تلقائيا|رسالة آلية"
    r"|رد آلي"
)
NO_REPLY = re.compile(
    r"(?:do not|don['’]t) (?:reply|respond) to this|nicht auf diese (?:e-?mail|nachricht)|ne (?:pas répondre|répondez pas)"
    r"|no responda"
    r"|non rispondere|não responda|niet op dit bericht|niet op deze|عدم الرد|لا ترد على"
    r"|received your (?:message|request|e-?mail|enquiry|inquiry)|(?:nachricht|anfrage|e-?mail) (?:ist|haben wir"
    r"|wurde)[^\n.]{0,30}(?:eingegangen|erhalten)"
    r"|bien reçu votre|hemos recibido su|abbiamo ricevuto la|recebemos a sua|hebben uw [^\n.]{0,20}ontvangen|استلمنا رسالتك"
    r"|تلقينا رسالتك"
)
ABSENT = re.compile(
    r"(?:\bi am|\bi['’]m|\bi will be|\bi['’]ll be|\bich bin|\bbin ich|\bje suis|\bje serai|\bestoy|\bestaré|\bsono|\bsarò"
    r"|\bestou|\bestarei"
    r"|\bik ben|\bben ik|أنا|سأكون)\b[^\n!?]{0,60}?"
    r"(?:out of (?:the )?office|(?:away from|not in) (?:the|my) (?:office|desk)|on (?:annual |maternity |parental "
    r"|sick )?leave\b"
    r"|on (?:holiday|vacation)|nicht im büro|außer haus|im urlaub|nicht (?:erreichbar|am arbeitsplatz)|abwesend|in elternzeit"
    r"|absente?\b"
    r"|en congés?|hors du bureau|fuera de (?:la )?oficina|de vacaciones|ausente\b|fuori (?:sede|ufficio)|in ferie|assente\b"
    r"|fora do escritório|de férias|niet op kantoor|afwezig|met (?:vakantie|verlof)|خارج المكتب|في إجازة)"
)
"""The author states their own absence."""
BACK = re.compile(
    r"(?:will|i['’]ll) (?:be back|return|reply|respond|get back|answer)|(?:limited|no) access to (?:my )?e-?mail"
    r"|in urgent cases|urgent matters|please contact|back (?:in the office )?on"
    r"|(?:ab|am) \d{1,2}\.[^\n.]{0,20}(?:wieder|zurück)|wieder (?:erreichbar|für sie da|im büro)|in dringenden fällen"
    r"|wenden sie sich|nicht weitergeleitet|nach meiner rückkehr"
    r"|de retour|en cas d['’]urgence|veuillez contacter|à mon retour|en caso (?:de )?urgen|a mi regreso|volveré"
    r"|contacte (?:con|a)|póngase en contacto"
    r"|al mio (?:rientro|ritorno)|per urgenze|in caso di urgenza|rientrerò|contattare|no meu regresso|em caso de urgência"
    r"|assuntos urgentes|regresso (?:a|no) "
    r"|bij mijn terugkeer|voor dringende|neem contact op|ben ik (?:weer|terug)|سأعود|عند عودتي|للحالات العاجلة"
    r"|في الحالات العاجلة|يرجى التواصل|الرجاء التواصل"
)


ABSENCES = """
office desk leave holiday vacation büro haus urlaub erreichbar arbeitsplatz abwesend elternzeit absent congé bureau oficina
vacaciones ausente sede ufficio ferie assente escritório férias kantoor afwezig vakantie verlof مكتب إجازة
"""
ABSENCE_PARTS = tuple(ABSENCES.split())
AUTOMATIONS = ("auto", "آلي", "تلقائي")
DELIVERIES = ("deliver", "zustell", "zugestellt", "remis", "distribu", "entreg", "recapit", "consegn", "bezorgd", "afgeleverd")
"""Parts of words without which a pattern can't match: most comments have none, and looking for these is cheap."""


def is_auto_reply(text: str) -> bool:
    """Whether a text is an automatic reply or a bounce."""
    begin = text[:READ_CHARACTERS].strip().casefold()
    if SUBJECT.match(begin) or BOUNCE.match(begin):
        return True
    if has_any(begin, DELIVERIES) and UNDELIVERED.search(begin) and MAILBOX.search(begin):
        return True
    absent = has_any(begin, ABSENCE_PARTS) and ABSENT.search(begin) is not None
    if has_any(begin, AUTOMATIONS) and AUTOMATED.search(begin) and (absent or NO_REPLY.search(begin)):
        return True
    return absent and BACK.search(begin) is not None


def has_any(text: str, parts: tuple[str, ...]) -> bool:
    """Whether any of the parts is in the text."""
    return any(map(text.__contains__, parts))
