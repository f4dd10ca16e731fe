"""Idioms of German: cues, pattern, plain words."""

VERY = r"(?:gar |überhaupt |wirklich |echt |absolut )?"
COMPLAIN = r"meckern|bemängeln|beanstanden|kritisieren|beklagen|mäkeln|nörgeln|motzen"
NEEDS = (
    r"Erstattung|Rückerstattung|Antwort|Rückmeldung|Reaktion|Hilfe|Lieferung|Rechnung|Bestätigung|Entschuldigung|Auskunft|"
    r"Information|Unterstützung|Geld|Ersatz|Rückruf|Zahlung|Auszahlung|Paket|Lösung"
)
GOOD = (
    r"besser|schneller|einfacher|freundlicher|bequemer|günstiger|leichter|schöner|professioneller|netter|unkomplizierter|"
    r"zuverlässiger|kompetenter|reibungsloser|hilfsbereiter|angenehmer"
)
BAD = (
    r"schlechter|schlimmer|langsamer|teurer|umständlicher|komplizierter|peinlicher|unprofessioneller|unfreundlicher|dümmer|"
    r"dreister|mieser|unzuverlässiger|chaotischer"
)
CAN = r"(?:geht(?:'s|s| es)(?: \w++)? (?:nicht|kaum|nimmer)|geht(?:'s|s| es)? (?:wohl |wirklich |echt )?(?:nicht|kaum) mehr|"
CAN += r"kann (?:man )?(?:es |das )?(?:\w++ )?nicht (?:sein|machen|gehen|laufen|werden))(?: mehr)?"

IDIOMS = (
    # a negated fault is praise
    ("schlecht schlechte schlechter schlechtes schlechten übel übles verkehrt",
     rf"{VERY}nicht (?:mal )?(?:schlecht(?:e[sn]?)?|übel|übles|verkehrt)(?! (?:wie|gestaunt|als))", "richtig gut"),
    ("meckern klagen beschweren beklagen",
     r"kann (?:(?:ich|man|wir|mich|sich|uns|da|hier) ){0,3}(?:\w++ ){0,2}?nicht (?:meckern|klagen|beschweren|beklagen)",
     "ist alles sehr gut"),
    (f"auszusetzen {COMPLAIN.replace('|', ' ')}",
     rf"(?:(?:gibt|gab|habe|hatte|haben|hatten|ist|war)(?: es| ich| wir)? )?(?:wirklich |absolut |überhaupt |rein gar |"
     rf"gar )?nichts (?:\w++ )?(?:auszusetzen|zu (?:{COMPLAIN}))", "ist alles sehr gut"),
    ("klagen", r"kein(?:en)? Grund (?:zum|zur|zu) (?:Klagen|Klage|Beschwerde|meckern)", "alles sehr gut"),
    ("beschwerden klagen",
     r"keine(?:rlei)? (?:Beschwerden|Klagen)(?=[.,!;]|$| (?:über|bisher|meinerseits|von))", "sehr zufrieden"),
    # nothing surpasses it
    (GOOD.replace("|", " "), rf"(?:{GOOD}) {CAN}", "das ist ausgezeichnet"),
    (BAD.replace("|", " "), rf"(?:{BAD}) {CAN}", "das ist furchtbar"),
    ("besser",
     r"(?:könnte|kann|konnte|hätte) (?:\w++ ){0,3}?nicht besser (?:sein|laufen|gehen|werden|machen)", "ist ausgezeichnet"),
    ("besser", r"hätte (?:\w++ ){0,3}?nicht besser (?:\w+ )?(?:können|sein können|laufen können)", "war ausgezeichnet"),
    ("schlechter schlimmer",
     r"(?:könnte|kann|konnte|hätte) (?:\w++ ){0,3}?nicht (?:schlechter|schlimmer) (?:sein|laufen|gehen|werden|können)",
     "ist furchtbar"),
    # "never" that strengthens
    ("nie niemals selten",
     r"(?:noch )?(?:nie|niemals|selten) ((?:\w++ ){0,3}?)(so(?! (?:wie|\w+ wie|dass|genau|richtig)\b)|solch(?:e[nrs]?)?|"
     r"derart|dermaßen)(?= \w)", r"\1\2"),
    ("kaum", r"kaum (?:ein|einen|eine|mal ein)(?= [A-ZÄÖÜ])", "kein"),
    ("kaum",
     r"kaum(?= (?:Ausfälle|Störungen|Fehler|Probleme|Abstürze|Wartezeit|Wartezeiten|Verspätung|Verspätungen|Papierkram)\b)",
     "keine"),
    ("gut", r"so gut wie (kein(?:e[nrms]?)?|nie|nichts)", r"\1"),
    # a denied virtue
    ("alles", r"alles andere als (\w+)", r"gar nicht \1"),
    ("gerade", r"nicht gerade (?!erst|eben|mal|jetzt|als|wenn|der|die|das|im|am|in|ein|eine)(\w+)", r"nicht \1"),
    ("sagen behaupten",
     r"(?:würde|kann|könnte) (?:ich |man |wir )?(?:jetzt |wirklich |leider )?nicht (?:gerade )?(?:sagen|"
     r"behaupten),? (?=dass\b)", "finde nicht, "),
    # a count that says all or none
    ("mal malen", r"(\d{1,4}) von \1 Mal(?:en)?", "jedes Mal"),
    ("von", r"(\d{1,4}) von \1 (?!Punkten|Sternen|Sterne|Punkte)(?=[A-ZÄÖÜ]\w+)", "alle "),
    # two complaints, not one "no"
    ("und",
     rf"(keine?n?) ({NEEDS}) und (?:nur |ständig |dauernd |viele |lauter )?(Probleme|Ärger|Schwierigkeiten|Stress|Theater)",
     r"es fehlt \2, und nur \3"),
)  # fmt: skip
