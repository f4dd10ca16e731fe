"""Sentences with idioms and turns of negation, by language and label. They were written after the families of
`services/sentiment/domain/idioms` and before any was tried; no model was trained on them."""

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "positive": """The rooms weren't bad at all|The new terminal is not too shabby|We really couldn't complain
There was nothing to complain about at the clinic|No complaints about the installer, he was on time|You can't fault the packaging
Checking in couldn't have been more straightforward|Honestly, banking does not get better than this
I could not thank your nurse enough|Couldn't praise the night shift highly enough|I had never met such a patient technician
Never before have I seen so clean a train|Scarcely any queue at the counter|The router hardly ever drops out
Five out of five flights left on time|Next to no waiting at the garage""",
        "negative": """The mechanic was anything but honest
The hotel lobby was less than welcoming, and less than friendly the staff
I couldn't say the training was useful|I wouldn't call it affordable|I have never been treated so rudely
Never had such an unhelpful reply|3 of 3 suitcases were lost|Ten out of ten times the chat hangs up
No invoice and constant trouble with the portal|No reply and nothing but excuses|It couldn't have been worse
It doesn't get any worse than this""",
    },
    "de": {
        "positive": """Das Frühstück war gar nicht übel|Über die Werkstatt kann ich wirklich nicht klagen
An der Montage hatte ich nichts auszusetzen|Freundlicher geht es kaum|Die Beratung hätte nicht besser laufen können
Ich kann Ihnen gar nicht oft genug danken|So gut wie keine Störungen seit dem Wechsel|Kaum Ausfälle im letzten Jahr
Ich habe noch nie einen so geduldigen Techniker erlebt|20 von 20 Paketen kamen pünktlich""",
        "negative": """Umständlicher geht's nicht|Der Fahrer war alles andere als höflich|Schlimmer kann es nicht werden
Ich würde nicht sagen, dass die Schulung nützlich war|Noch nie wurde ich so unfreundlich behandelt
Keine Rechnung und ständig Ärger mit dem Portal|7 von 7 Mal bricht der Anruf ab|Das Zimmer war nicht gerade sauber""",
    },
    "fr": {
        "positive": """Franchement, l'accueil n'est pas mal du tout|Rien à redire sur la livraison
Je n'ai pas à me plaindre du garage
On ne pouvait pas rêver mieux|L'installation est on ne peut plus simple|Je ne saurais assez vous remercier
Je n'avais jamais vu un technicien aussi patient|Presque aucune panne cette année""",
        "negative": """Le vendeur est tout sauf aimable|Je ne dirais pas que la formation était utile|On ne peut pas faire pire
Je n'ai jamais été aussi mal reçu|5 fois sur 5 l'appel coupe|La chambre est loin d'être propre""",
    },
    "es": {
        "positive": """El desayuno no estuvo nada mal|No me puedo quejar del taller|Ni una sola queja de la instalación
Nada que reprochar al técnico|No pudo salir mejor|Mejor imposible, de verdad|No puedo recomendar lo suficiente esta clínica
Nunca había visto un técnico tan paciente|Casi ninguna avería este año""",
        "negative": """El portal no es nada práctico|El vendedor fue todo menos amable|No diría que el curso fuera útil
Nunca me habían tratado tan mal|Peor imposible|4 de 4 veces se corta la llamada""",
    },
    "pt": {
        "positive": """O pequeno-almoço não estava nada mau|Nada a apontar ao técnico|Não me posso queixar da oficina
Melhor é impossível, a sério|Nunca tinha visto um técnico tão paciente|Sem reclamações da instalação
Quase nenhuma avaria este ano""",
        "negative": """O portal não é nada prático|O vendedor foi tudo menos simpático|Não diria que o curso foi útil
Nunca fui tão mal atendido|Pior é impossível|4 em 4 vezes a chamada cai""",
    },
    "it": {
        "positive": """La colazione niente male|Nulla da ridire sul tecnico|Non mi posso lamentare dell'officina
Non poteva andare meglio|Meglio di così non si può|Non ho mai visto un tecnico così paziente
Quasi nessun guasto quest'anno""",
        "negative": """Il portale non è per niente pratico|Il venditore è tutt'altro che gentile
Non direi che il corso sia stato utile
Non sono mai stato trattato così male|Peggio di così non si può|4 volte su 4 la chiamata cade""",
    },
    "nl": {
        "positive": """Het ontbijt was helemaal niet slecht|Op de monteur is niets aan te merken|Over de garage mag ik niet klagen
Het had echt niet beter gekund|Beter kan niet|Nog nooit zo'n geduldige monteur gezien|Bijna geen storingen dit jaar
Ik kan deze kliniek niet genoeg aanbevelen""",
        "negative": """Het portaal is allesbehalve handig|De verkoper was verre van vriendelijk|Erger kan niet
Ik zou niet zeggen dat de cursus nuttig was|Nog nooit ben ik zo onbeleefd behandeld|4 van de 4 keer valt het gesprek weg
Geen factuur en alleen gedoe met het portaal""",
    },
    "ar": {
        "positive": """الإفطار ليس سيئا أبدا|ليس لدي أي شكوى من الفني|لا يمكن أن تكون الخدمة أفضل""",
        "negative": """لا يمكن أن يكون أسوأ من هذا""",
    },
}


def sentences() -> list[tuple[str, str]]:
    """Each sentence and its label."""
    return [
        (text.strip(), label)
        for labels in SENTENCES.values()
        for label, block in labels.items()
        for line in block.splitlines()
        for text in line.split("|")
    ]
