"""Idioms of Italian: cues, pattern, plain words."""

SAY = r"ridire|eccepire|obiettare|criticare|rimproverare|lamentarsi|recriminare"

IDIOMS = (
    # a negated fault is praise
    ("male", r"(?:niente|mica|nulla) male|non (è|era|sono|è stato|è stata) (?:per niente |affatto )?male", r"\1 molto buono"),
    ("male", r"non male(?! \w+ato)", "molto buono"),
    ("cattivo cattiva pessimo", r"non (è|era|sono) (?:per niente |affatto )?(?:cattiv[oa]|pessim[oa])", r"\1 buono"),
    (SAY.replace("|", " "),
     rf"(?:(?:non )?(?:ho|abbiamo|c'è|avevo) )?(?:assolutamente )?(?:niente|nulla) (?:da|di cui|a) (?:{SAY})", "tutto ottimo"),
    ("lamentarmi lamentare lamento lamentarci",
     r"non (?:mi |ci )?(?:posso|possiamo) (?:certo )?lamentar(?:e|mi|ci)|non mi lamento(?: per nulla| affatto)?",
     "sono molto soddisfatto"),
    ("lamentela lamentele", r"(?:nessuna|zero|non ho) lamentel[ae]", "molto soddisfatto"),
    # nothing surpasses it
    ("meglio",
     r"meglio di così (?:non si (?:può|poteva)|è impossibile|si muore)(?: fare)?|non (?:si )?(?:può|poteva|potrebbe|potevo|"
     r"potevamo) (?:essere|andare|fare|chiedere|desiderare|sperare|avere|trovare)(?: di| in)? meglio", "è eccellente"),
    ("peggio",
     r"peggio di così (?:non si (?:può|poteva)|è impossibile|si muore)(?: fare)?|non (?:si )?(?:può|poteva|"
     r"potrebbe) (?:essere|andare|fare)(?: di)? peggio", "è pessimo"),
    ("più", r"non (?:può|poteva|potrebbe|potevano) essere (?:stat[oaie] )?più (\w+)", r"è molto \1"),
    # no praise is enough
    ("abbastanza",
     r"non (?:posso|potrò mai|finirò mai di) (ringraziar|consigliar|raccomandar|lodar)(\w*)((?: \w++){0,3}?) abbastanza",
     r"voglio \1\2\3 molto"),
    # "never" that strengthens
    ("mai",
     r"non (ho|avevo|abbiamo|avevamo|sono|siamo|ero) mai ((?:\w++ ){0,5}?)(?=(?:così|tanto|tanta|tale|un simile|"
     r"una simile)(?! \w+ come)\b)", r"\1 \2"),
    ("mai",
     r"mai ((?:vist[oa]|avut[oa]|stat[oa]|trovat[oa]|ricevut[oa]) (?:\w++ ){0,4}?)(?=(?:così|tanto|tanta|tale)(?! \w+ come)\b)",
     r"\1"),
    # a denied virtue
    ("affatto niente nulla",
     r"non (è|era|sono|è stato|è stata) (?:affatto|per niente|per nulla) (?!male|cattiv)(\w+)", r"non \1 \2"),
    ("altro", r"tutt'altro che (\w+)", r"per niente \1"),
    ("tutto", r"tutto (?:fuorché|tranne che|meno che) (?!il|la|lo|i|gli|le|un|una|questo)(\w+)", r"per niente \1"),
    ("direi dire", r"non (?:direi|posso dire|potrei dire) (?=che\b)", "non penso "),
    # a count that says all or none
    ("volte", r"(\d{1,4}) volte su \1(?! ?\d)", "ogni volta"),
)  # fmt: skip
