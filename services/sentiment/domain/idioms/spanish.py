"""Idioms of Spanish: cues, pattern, plain words."""

IS = r"está|estaba|estuvo|estuve|están|es|son|fue|era|estado"

IDIOMS = (
    # a negated fault is praise
    ("mal malo mala", r"(?:no (está|estaba|estuvo|están) )?nada mal(?:o|a|os|as)?", r"\1 muy bien"),
    ("mal malo mala",
     r"no (está|estaba|estuvo|están|es|era|fue|son) (?:para nada )?mal(?:o|a|os|as)?(?: del todo| para nada)?", r"\1 bien"),
    ("queja quejas",
     r"(?:no (?:hay|tengo|tenemos|tuve|tuvimos|existe) (?:absolutamente |realmente )?)?(?:ninguna? |"
     r"ni una(?: sola)? )quejas?(?! (?:fue|ha|atendida))", "muy satisfecho"),
    ("queja quejas",
     r"(?:no (?:hay|tengo|tenemos|tuve|tuvimos)|sin|cero) (?:ninguna |una sola )?quejas?(?: alguna| ninguna)?(?! (?:fue|ha|"
     r"atendida))", "muy satisfecho"),
    ("quejarme quejo quejarse quejarnos",
     r"no (?:me |nos |se )?(?:puedo|podemos|puede) quejar(?:me|nos|se)?|no me quejo", "muy satisfecho"),
    ("quejar", r"no (?:me |nos |se )?(?:puedo|podemos|puede) quejar", "muy satisfecho"),
    ("objetar reprochar criticar",
     r"(?:no (?:hay|tengo|tenemos) )?nada (?:que|a) (?:objetar|reprochar|criticar)", "todo muy bien"),
    # nothing surpasses it
    ("mejor",
     r"no (?:se )?(?:puede|podía|podría|pudo|pueden) (?:ser|estar|ir|hacer(?:se|lo)?|pedir|haber ido|salir)(?: \w+)? mejor|"
     r"mejor (?:es )?imposible|imposible (?:hacerlo )?mejor|mejor no (?:se )?puede(?: ser)?", "es excelente"),
    ("peor",
     r"no (?:se )?(?:puede|podía|podría|pudo|pueden) (?:ser|estar|ir|hacer(?:se|lo)?|haber ido|salir)(?: \w+)? peor|"
     r"peor (?:es )?imposible|imposible peor|peor no (?:se )?puede(?: ser)?", "es pésimo"),
    ("más", r"no (?:puede|podía|podría|pudo|pueden) (?:ser|estar) más (\w+)", r"es muy \1"),
    # no praise is enough
    ("suficiente", r"no puedo recomendar(\w*) lo suficiente", r"recomiendo mucho"),
    ("suficiente", r"no puedo agradecer(\w*) lo suficiente", r"agradezco mucho"),
    # "never" that strengthens
    ("nunca jamás",
     r"(?:nunca|jamás) ((?:(?:antes|me|nos|te|lo|la|les|le) ){0,2}(?:había|he|hemos|habíamos|habían|han|fui|tuve|"
     r"vi) (?:\w++ ){0,5}?)(?=(?:tan|tal|tanto|tanta|semejante)(?! \w+ como)\b)", r"\1"),
    # a denied virtue
    ("nada", rf"no ({IS}|resulta|resultó|parece|fueron) nada (?!más|mal|menos|que|de|en|nuevo)(\w+)", r"no \1 \2"),
    ("menos", r"(?:todo|cualquier cosa) menos (?!el|la|los|las|un|una|lo|eso|mi|que|en|a|de|con|por)(\w+)", r"nada \1"),
    ("diría decir", r"no (?:diría|puedo decir|podría decir) (?=que\b)", "no creo "),
    # a count that says all or none
    ("veces", r"(\d{1,4}) de (?:cada )?\1 veces|(\d{1,4}) veces de (?:cada )?\2", "cada vez"),
)  # fmt: skip
