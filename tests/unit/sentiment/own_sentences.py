"""Comments written for these tests, with what they are; no model was trained on them or chosen by them."""

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "positive": """The agent was friendly and fixed it in minutes|Love the new app, works perfectly
Great quality for the price|Fast delivery and well packed, thank you
Best support I have ever had|Very easy to use|I am really happy with the service
Would recommend to everyone|Excellent communication from start to finish
Good value and a helpful team""",
        "negative": """The worst customer service ever|My order arrived broken and nobody cares|I am very disappointed
They refuse to refund my money|Terrible quality, fell apart after a week
The website is awful and slow|Rude staff|I hate waiting on hold for hours
Useless support, total waste of time|Never buying here again, horrible""",
        "neutral": """I ordered it on Tuesday|What time does the shop open?|The parcel contains two cables
Where can I find my invoice?|My order number is on the label""",
    },
    "de": {
        "positive": """Sehr freundliche Beratung, vielen Dank|Ich bin sehr zufrieden mit dem Produkt
Schnelle Lieferung, super Service|Tolle App, gefällt mir sehr gut
Der Mitarbeiter war hilfsbereit und nett|Einfach perfekt, gerne wieder
Ich freue mich sehr über die schöne Verpackung|Beste Hotline, die ich je hatte|Klasse, danke!
Macht richtig Spaß""",
        "negative": """Schlechter Service, nie wieder|Ich warte seit drei Wochen und keiner antwortet
Das Gerät ist schon wieder kaputt|Unverschämt teuer und schlechte Qualität
Ich bin total enttäuscht|Die Hotline ist eine Katastrophe|Unfreundliches Personal
Leider funktioniert gar nichts|Das nervt nur noch|Schon wieder Verspätung, so ein Mist""",
        "neutral": """Wann öffnet die Filiale am Samstag?|Das Paket enthält zwei Kabel|Ich habe am Dienstag bestellt
Der Zug fährt um acht Uhr ab|Wo finde ich meine Rechnung?""",
    },
    "fr": {
        "positive": """Très bon service, merci beaucoup|Je suis très contente de mon achat
Livraison rapide et soignée, parfait|Une équipe géniale et souriante|J'adore cette application
Excellent rapport qualité prix|Super conseil, bravo|Le meilleur magasin de la ville
Je recommande vivement|Très belle expérience""",
        "negative": """Service client lamentable|Je suis très déçu, produit de mauvaise qualité
Encore un retard, c'est honteux|Personne ne répond, c'est nul|Une vraie arnaque, à fuir
Le colis est arrivé cassé, quelle honte|Le pire service que j'ai connu
Ça ne marche jamais, j'en ai marre|Vendeur désagréable et menteur|Horrible, plus jamais""",
        "neutral": """À quelle heure ouvre le magasin ?|Le colis contient deux câbles|J'ai commandé mardi
Où se trouve ma facture ?|Le train part à huit heures""",
    },
    "es": {
        "positive": """Muy buena atención, muchas gracias|Estoy muy contenta con mi compra
Entrega rápida y todo perfecto|Me encanta la aplicación|El mejor servicio que he tenido
Excelente calidad y buen precio|Gracias por la ayuda, genial|Un equipo amable y profesional
Lo recomiendo, estoy feliz|Qué bonito, me gusta mucho""",
        "negative": """Pésimo servicio, nunca más|Estoy muy decepcionado con la empresa
Llegó roto y nadie responde, qué asco|Una vergüenza, llevo tres semanas esperando|Es una estafa
Muy mala calidad, no funciona|El peor servicio de mi vida|Odio esta aplicación, siempre falla
Qué mal trato, son unos ladrones|Fatal, un desastre""",
        "neutral": """¿A qué hora abre la tienda?|El paquete contiene dos cables|Hice el pedido el martes
¿Dónde está mi factura?|El tren sale a las ocho""",
    },
    "it": {
        "positive": """Ottimo servizio, grazie mille|Sono molto contenta del mio acquisto|Bellissimo, lo adoro
Consegna veloce e perfetta|Personale gentile, bravi|La migliore assistenza di sempre
Che bello, complimenti|Mi piace tantissimo""",
        "negative": """Pessimo servizio, mai più|Sono molto delusa|Che vergogna, nessuno risponde|È una truffa, ladri
Il prodotto è rotto, che schifo|Il peggior negozio della città|Non funziona niente, basta
Orribile, un disastro""",
        "neutral": """A che ora apre il negozio?|Il pacco contiene due cavi|Ho ordinato martedì
Il treno parte alle otto""",
    },
    "pt": {
        "positive": """Ótimo atendimento, muito obrigado|Estou muito feliz com a compra|Adorei, recomendo a todos
Entrega rápida e perfeita|Amo este aplicativo|O melhor serviço de sempre
Equipa simpática, parabéns|Que lindo, gostei muito""",
        "negative": """Péssimo atendimento, nunca mais|Estou muito decepcionada|Uma vergonha, ninguém responde
Odeio esta aplicação|Produto horrível, veio quebrado|O pior serviço da minha vida
Que raiva, não funciona|É um roubo, um absurdo""",
        "neutral": """A que horas abre a loja?|A encomenda contém dois cabos|Fiz o pedido na terça
O comboio parte às oito""",
    },
    "nl": {
        "positive": """Heel vriendelijke bediening, dank je wel|Erg lekker en goede service|Wij zijn zeer tevreden
Een echte aanrader|Mooie zaak met vriendelijk personeel|Prima kwaliteit, goede prijs
Gezellig en snel geholpen|Fantastisch, wij komen zeker terug""",
        "negative": """Slechte service, nooit meer|Het personeel was onvriendelijk|Veel te duur en slechte kwaliteit
Lang moeten wachten|Wat een teleurstelling|Het was koud en smakeloos|Ik ben niet tevreden
Vies en veel te lawaaierig""",
        "neutral": """Hoe laat gaat de winkel open?|Het pakket bevat twee kabels|Ik heb dinsdag besteld
De trein vertrekt om acht uur""",
    },
    "ar": {
        "positive": """خدمة ممتازة شكرا لكم|أنا سعيد جدا بالمنتج|أحب هذا التطبيق رائع|تعامل جميل وسريع
أفضل شركة تعاملت معها""",
        "negative": """خدمة سيئة جدا|أسوأ شركة تعاملت معها|لا أحد يرد على رسائلي للأسف|المنتج سيء وفاشل|حرامية ونصابين""",
        "neutral": """متى يفتح المتجر؟|الطرد يحتوي على كابلين|طلبت يوم الثلاثاء""",
    },
}


def sentences(language: str) -> list[tuple[str, str]]:
    """(text, label) of one language."""
    return [
        (text, label) for label, block in SENTENCES[language].items() for line in block.splitlines() for text in line.split("|")
    ]
