"""Idioms of French: cues, pattern, plain words."""

IDIOMS = (
    # a negated fault is praise
    ("mal",
     r"(?:n'(?:est|était) )?(?:vraiment )?pas (?:du tout )?mal(?: du tout)?(?! (?:de|d'|que|à|fini|fait|reçu|élevé)\b| d')",
     "est très bien"),
    ("mauvais mauvaise", r"(?:n'(est|était|a été) )?pas (?:du tout )?mauvaise?(?: du tout)?", r"\1 bien"),
    ("redire reprocher dire",
     r"(?:(?:je )?n'(?:ai|avais) |(?:il )?n'y a |(?:nous )?n'avons )?(?:absolument |vraiment )?rien à (?:redire|reprocher|"
     r"(?:y )?redire|dire(?=[ ,.!:;]*$| ?[,.!:;]))", "tout est parfait"),
    ("plaindre", r"(?:(?:je )?n'ai|on n'a|nous n'avons) (?:vraiment )?pas à (?:me|se|nous) plaindre", "je suis très satisfait"),
    ("plaindre", r"(?:je )?ne (?:peux|pouvais|vais) pas me plaindre", "je suis très satisfait"),
    ("plainte reproche", r"(?:aucune?|sans) (?:plainte|reproche)s?(?! (?:traitée?|prise))", "très satisfait"),
    # nothing surpasses it
    ("mieux",
     r"on ne (?:peut|pouvait|pourrait|saurait) pas (?:faire |trouver |avoir |rêver |demander |espérer )?(?:de )?mieux",
     "c'est excellent"),
    ("mieux",
     r"on ne fait pas mieux|difficile de (?:faire|trouver) mieux|impossible de (?:faire|trouver) mieux", "c'est excellent"),
    ("pire",
     r"on ne (?:peut|pouvait|pourrait) pas (?:faire |trouver |avoir )?pire|on ne fait pas pire|difficile de faire pire",
     "c'est affreux"),
    ("mieux",
     r"(?:ne |n')(?:pouvait|pourrait|aurait pu|peut) (?:pas )?(?:mieux se passer|se passer mieux|être mieux|aller mieux)",
     "est parfait"),
    ("plus", r"(est|était|sont|étaient|été|fut) on ne peut plus (\w+)", r"\1 extrêmement \2"),
    # no praise is enough
    ("assez trop",
     r"(?:je )?ne (?:saurais|peux|pourrais|pourrai) (?:jamais |pas )?(?:trop |assez |vous )*(?:assez |trop )(recommander|"
     r"remercier|conseiller|féliciter)", r"je tiens beaucoup à \1"),
    # "never" that strengthens
    ("jamais",
     r"n'(ai|avais|avons|avions|a|avait) (?:encore )?jamais ((?:\w++ ){0,5}?)(?=(?:aussi|si|une? tel(?:le)?|autant|"
     r"pareil)(?! \w+ que)\b)", r"\1 \2"),
    ("jamais",
     r"jamais ((?:vu|eu|été|connu|rencontré|reçu) (?:[\w']++ ){0,4}?)(?=(?:aussi|si|une? tel(?:le)?|autant|"
     r"pareil)(?! \w+ que)\b)", r"\1"),
    # a denied virtue
    ("dirais dire", r"(?:je )?ne (?:dirais|peux pas dire|pourrais pas dire|dirai)(?: pas)? (?=qu[e'])", "je ne pense pas "),
    # a count that says all or none
    ("fois", r"(\d{1,4}) fois sur \1(?! ?\d)", "à chaque fois"),
)  # fmt: skip
