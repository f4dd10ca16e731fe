"""E-mails as clients write them, made for these tests: a text above a quoted message, a signature or a disclaimer."""

from typing import NamedTuple


class Mail(NamedTuple):
    """An e-mail as a help desk stores it, and the part that its author wrote."""

    name: str
    text: str
    own: str


OWN = {
    "en": "The replacement is broken too and I am still waiting for my money.",
    "de": "Auch das Ersatzgerät ist kaputt, und ich warte immer noch auf mein Geld.",
    "fr": "L'appareil de remplacement est cassé lui aussi et j'attends toujours mon argent.",
    "es": "El recambio también está roto y sigo esperando mi dinero.",
    "it": "Anche il ricambio è rotto e aspetto ancora i miei soldi.",
    "pt": "O substituto também está avariado e continuo à espera do meu dinheiro.",
    "nl": "Ook het vervangende apparaat is kapot en ik wacht nog steeds op mijn geld.",
    "ar": "الجهاز البديل معطل أيضا وما زلت أنتظر نقودي.",
}
FRIENDLY = {
    "en": "Hello Anna,\nthank you so much for your kind words, we are delighted to help you!",
    "de": "Hallo Anna,\nvielen lieben Dank für die netten Worte, wir helfen sehr gerne!",
    "fr": "Bonjour Anna,\nmerci beaucoup pour votre gentil message, nous sommes ravis de vous aider !",
    "es": "Hola, Anna:\nmuchas gracias por sus amables palabras, estamos encantados de ayudarle.",
    "it": "Ciao Anna,\ngrazie mille per le belle parole, siamo felicissimi di aiutarti!",
    "pt": "Olá, Anna,\nmuito obrigado pelas palavras simpáticas, temos todo o gosto em ajudar!",
    "nl": "Hallo Anna,\nheel erg bedankt voor uw vriendelijke woorden, wij helpen u graag!",
    "ar": "مرحبا آنا،\nشكرا جزيلا على كلماتك اللطيفة، يسعدنا مساعدتك!",
}
SENDER = "Acme Support <support@acme.example>"
GMAIL = {
    "en": f"On Tue, Nov 3, 2026 at 10:02 AM {SENDER} wrote:",
    "de": f"Am Di., 3. Nov. 2026 um 10:02 Uhr schrieb {SENDER}:",
    "fr": f"Le mar. 3 nov. 2026 à 10:02, {SENDER} a écrit :",
    "es": f"El mar, 3 nov 2026 a las 10:02, {SENDER} escribió:",
    "it": f"Il giorno mar 3 nov 2026 alle ore 10:02 {SENDER} ha scritto:",
    "pt": f"Em ter., 3 de nov. de 2026 às 10:02, {SENDER} escreveu:",
    "nl": f"Op di 3 nov 2026 om 10:02 schreef {SENDER}:",
    "ar": f"في الثلاثاء، 3 نوفمبر 2026 في 10:02 ص تمت كتابة ما يلي بواسطة {SENDER}:",
}
APPLE = {
    "en": f"On 3 Nov 2026, at 10:02, {SENDER} wrote:",
    "de": f"Am 03.11.2026 um 10:02 schrieb {SENDER}:",
    "fr": f"Le 3 nov. 2026 à 10:02, {SENDER} a écrit :",
    "es": f"El 3 nov 2026, a las 10:02, {SENDER} escribió:",
    "it": f"Il giorno 3 nov 2026, alle ore 10:02, {SENDER} ha scritto:",
    "pt": f"No dia 03/11/2026, às 10:02, {SENDER} escreveu:",
    "nl": f"Op 3 nov 2026, om 10:02 heeft {SENDER} het volgende geschreven:",
    "ar": f"في ٣ نوفمبر ٢٠٢٦، الساعة ١٠:٠٢، كتب {SENDER}:",
}
OUTLOOK = {
    "en": ("From", "Sent", "To", "Subject", "Tuesday, November 3, 2026 10:02 AM"),
    "de": ("Von", "Gesendet", "An", "Betreff", "Dienstag, 3. November 2026 10:02"),
    "fr": ("De ", "Envoyé ", "À ", "Objet ", "mardi 3 novembre 2026 10:02"),
    "es": ("De", "Enviado", "Para", "Asunto", "martes, 3 de noviembre de 2026 10:02"),
    "it": ("Da", "Inviato", "A", "Oggetto", "martedì 3 novembre 2026 10:02"),
    "pt": ("De", "Enviado", "Para", "Assunto", "terça-feira, 3 de novembro de 2026 10:02"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp", "dinsdag 3 november 2026 10:02"),
    "ar": ("من", "تم الإرسال", "إلى", "الموضوع", "الثلاثاء، 3 نوفمبر 2026 10:02"),
}
FORWARDED = {
    "en": "---------- Forwarded message ---------",
    "de": "---------- Weitergeleitete Nachricht ---------",
    "fr": "---------- Message transféré ---------",
    "es": "---------- Mensaje reenviado ---------",
    "it": "---------- Messaggio inoltrato ---------",
    "pt": "---------- Mensagem encaminhada ---------",
    "nl": "---------- Doorgestuurd bericht ---------",
    "ar": "---------- رسالة معاد توجيهها ---------",
}
APPLE_FORWARDED = {
    "en": "Begin forwarded message:",
    "de": "Anfang der weitergeleiteten Nachricht:",
    "fr": "Début du message réexpédié :",
    "es": "Inicio del mensaje reenviado:",
    "it": "Inizio messaggio inoltrato:",
    "pt": "Início da mensagem reencaminhada:",
    "nl": "Begin doorgestuurd bericht:",
    "ar": "بدء الرسالة المعاد توجيهها:",
}
PHONE = {
    "en": "Sent from my iPhone",
    "de": "Von meinem iPhone gesendet",
    "fr": "Envoyé de mon iPhone",
    "es": "Enviado desde mi iPhone",
    "it": "Inviato da iPhone",
    "pt": "Enviado do meu iPhone",
    "nl": "Verstuurd vanaf mijn iPhone",
    "ar": "أُرسلت من الـ iPhone",
}
CLOSING = {
    "en": "Kind regards",
    "de": "Mit freundlichen Grüßen",
    "fr": "Cordialement,",
    "es": "Saludos cordiales,",
    "it": "Cordiali saluti",
    "pt": "Com os melhores cumprimentos,",
    "nl": "Met vriendelijke groet,",
    "ar": "مع أطيب التحيات،",
}
DISCLAIMER = {
    "en": "This e-mail and its attachments are confidential and intended only for the named recipient. Thank you for your help!",
    "de": "Diese E-Mail enthält vertrauliche Informationen und ist nur für den Empfänger bestimmt. Vielen Dank!",
    "fr": "Ce message et ses pièces jointes sont confidentiels et établis à l'intention exclusive de leur destinataire. Merci !",
    "es": "Este mensaje y sus archivos adjuntos son confidenciales y para su destinatario. ¡Muchas gracias!",
    "it": "Questo messaggio e i suoi allegati sono riservati ai destinatari. Grazie mille!",
    "pt": "Esta mensagem e os seus anexos são confidenciais e para uso do destinatário. Muito obrigado!",
    "nl": "Dit bericht en de bijlagen zijn vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Hartelijk dank!",
    "ar": "هذه الرسالة ومرفقاتها سرية وموجهة إلى المرسل إليه فقط. شكرا جزيلا!",
}


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def outlook(lang: str) -> str:
    sender, sent, to, subject, date = OUTLOOK[lang]
    return f"{sender}: {SENDER}\n{sent}: {date}\n{to}: anna@customer.example\n{subject}: RE: 4711"


def mails_of(lang: str) -> list[Mail]:
    """The e-mails of one language."""
    own, friendly = OWN[lang], FRIENDLY[lang]
    middle = GMAIL[lang].index("<")
    bodies = {
        "gmail": f"{own}\n\n{GMAIL[lang]}\n\n{quoted(friendly)}",
        "gmail, wrapped": f"{own}\n\n{GMAIL[lang][:middle].rstrip()}\n{GMAIL[lang][middle:]}\n\n{quoted(friendly)}",
        "gmail, one line": f"{own} {GMAIL[lang]} {' '.join(friendly.split())}",
        "apple": f"{own}\n\n{PHONE[lang]}\n\n{APPLE[lang]}\n\n{quoted(friendly)}",
        "apple, not marked": f"{own}\n\n{APPLE[lang]}\n\n{friendly}",
        "outlook": f"{own}\n\n{'_' * 32}\n{outlook(lang)}\n\n{friendly}",
        "outlook, signed": f"{own}\n\n{CLOSING[lang]}\nAnna Example\nHead of Purchasing\n\n{outlook(lang)}\n\n{friendly}",
        "forwarded": f"{own}\n\n{FORWARDED[lang]}\n{outlook(lang)}\n\n{friendly}",
        "forwarded by apple": f"{own}\n\n{APPLE_FORWARDED[lang]}\n\n{outlook(lang)}\n\n{friendly}",
        "phone": f"{own}\n\n{PHONE[lang]}",
        "dashes": f"{own}\n-- \nAnna Example\nPerfect Homes Ltd, a great place to live",
        "closing": f"{own}\n\n{CLOSING[lang]}\nAnna Example",
        "disclaimer": f"{own}\n\n{DISCLAIMER[lang]}",
        "closing and disclaimer": f"{own}\n\n{CLOSING[lang]}\nAnna Example\n\n{DISCLAIMER[lang]}",
        "html of gmail": f'<div dir="ltr">{own}</div><br><div class="gmail_quote">'
        f'<div dir="ltr" class="gmail_attr">{GMAIL[lang]}<br></div>'
        f"<blockquote>{friendly}</blockquote></div>",
        "html of outlook": "<html><head><style>p.MsoNormal {margin: 0}</style></head><body><p class=MsoNormal>"
        f'<b>{own}</b><o:p></o:p></p><div id="divRplyFwdMsg" dir="ltr">{outlook(lang)}</div><p>{friendly}</p></body></html>',
    }
    return [Mail(f"{lang}: {name}", text, own) for name, text in bodies.items()]


MAILS = [
    *(mail for lang in OWN for mail in mails_of(lang)),
    Mail(
        "answers between the lines",
        "> Does the lamp work now?\nNo, it doesn't.\n> Did the cable arrive?\nYes, broken.",
        "No, it doesn't.\nYes, broken.",
    ),
    Mail(
        "reply above this line",
        "Still broken.\n##- Please type your reply above this line -##\nWe are happy to help!",
        "Still broken.",
    ),
    Mail("banner", "[EXTERNAL]\nStill broken.", "Still broken."),
    Mail("caution", "CAUTION: This email originated from outside of the organization.\nStill broken.", "Still broken."),
    Mail(
        "an answer to an answer",
        f"Still no answer!\n\n{GMAIL['en']}\n> Gladly!\n>\n> {GMAIL['de']}\n>> Gerne!",
        "Still no answer!",
    ),
]
WHOLE = [
    "On Monday the agent wrote: we will call you. Nobody called.",
    "From: Berlin. To: Hamburg. The train was late.",
    "I wrote:\n- the door squeaks\n- the lamp flickers",
    "Thanks,\nit works now",
    "Kind regards to Maria, she was great",
    "Best regards\nand thank you for the quick help with my order, which was delivered a day early by your driver",
    "A good shop -- really",
    "To: the manager\nYour staff is rude.",
    "The temperature is <3 degrees and <order number> is missing",
    "Am Montag schrieb mir Ihr Kollege: alles gut. Nichts ist gut.",
    "Le vendeur a écrit : demain. Rien depuis.",
    "I was sent from one desk to the next",
    "Sent from my heart: thank you",
    "The message on the screen is confidential nonsense",
]
"""Comments that are read as a whole."""
AUTO_REPLIES = """
Automatic reply: your order 4711|Out of office|Auto-Reply: RE: ticket 4711\\nI will read your message next week.
I am out of the office until Monday and will reply when I return.
Hello, I'm on annual leave with limited access to email. In urgent cases please contact Tom.
This is an automated message. Please do not reply to this email.
Thank you for your e-mail. This is an automated response: we have received your request.
Abwesenheitsnotiz: Ihre Anfrage|Automatische Antwort: Rechnung 12
Ich bin bis zum 12. August nicht im Büro. In dringenden Fällen wenden Sie sich an Frau Klein.
Ich bin im Urlaub und ab dem 3. Mai wieder erreichbar.
Diese E-Mail wurde automatisch erstellt. Bitte antworten Sie nicht auf diese E-Mail.
Réponse automatique : votre dossier|Je suis absente du bureau jusqu'au 5 mai. En cas d'urgence, contactez Paul.
Ce message a été généré automatiquement, merci de ne pas répondre.
Respuesta automática: pedido 77|Estaré fuera de la oficina hasta el lunes. En caso de urgencia, contacte con Ana.
Este correo se ha enviado automáticamente, por favor no responda: generado automáticamente.
Risposta automatica: ordine|Sono in ferie fino al 20 agosto. Al mio rientro risponderò.
Messaggio generato automaticamente, si prega di non rispondere.
Resposta automática: encomenda|Estou de férias até dia 12. Para assuntos urgentes fale com o Rui.
Mensagem gerada automaticamente, por favor não responda.
Automatisch antwoord: uw bestelling|Ik ben afwezig tot 3 mei. Voor dringende zaken kunt u Kees bellen.
Dit is automatisch gegenereerd, niet op dit bericht antwoorden.
رد تلقائي: طلبكم|أنا في إجازة حتى يوم الأحد. للحالات العاجلة يرجى التواصل مع أحمد.|هذه رسالة آلية، يرجى عدم الرد عليها.
Undeliverable: Your invoice|Delivery Status Notification (Failure)\\nThe address was not found.
Your message to anna@customer.example couldn't be delivered. Remote server returned 550 5.1.1 mailbox unknown.
Mail delivery failed: returning message to sender|This is the mail system at host mx.acme.example.
"""
COMMENTS = """
Automatic reply after automatic reply, and no human ever answers|Your out of office replies are useless
I get an automated message every time I call
The automatic reply said two days, that was a week ago|My account manager is on leave and nobody will get back to me
I am on holiday and my card does not work|Ich war im Urlaub und das Paket wurde zurückgeschickt
Your support is out of office all day, it seems
The parcel was undeliverable, says the courier, though I was at home|Immer nur automatische Antworten, nie ein Mensch
Je suis en congés et je ne peux pas payer|Sono in ferie e la carta non funziona
Siempre una respuesta automática, nunca una persona
We received your message that the order is late. Again!|Mail delivery from your shop is great
Please reply to this automated message? No thanks
أنا في إجازة والبطاقة لا تعمل|Altijd een automatisch antwoord, nooit een mens
"""


def cases(text: str) -> list[str]:
    """The texts of a table."""
    return [case.replace("\\n", "\n") for line in text.strip().splitlines() for case in line.split("|")]
