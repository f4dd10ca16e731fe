"""Idioms of Dutch: cues, pattern, plain words."""

COMPLAIN = r"klagen|mopperen|zeuren"

IDIOMS = (
    # a negated fault is praise
    ("slecht slechte verkeerd gek mis beroerd",
     r"(?:helemaal |zeker |echt )?niet (?:eens )?(?:slechte?|verkeerd|gek|beroerd)(?! (?:dat|als|van|geworden|bezorgd|"
     r"geleverd|gespeld|verbonden|aangesloten))", "echt goed"),
    ("aan", r"(?:helemaal |werkelijk )?(?:niets|niks) (?:op )?aan te merken(?: op)?", "alles is heel goed"),
    (COMPLAIN.replace("|", " "),
     rf"(?:heb |hebben |is |was |valt )?(?:helemaal )?(?:niets|niks) te (?:{COMPLAIN})|(?:mag|kan|mogen|kunnen) (?:(?:ik|we|"
     rf"wij|je) )?(?:zeker )?niet (?:{COMPLAIN})", "ben heel tevreden"),
    ("klachten klacht", r"(?:geen|nul|geen enkele) klacht(?:en)?(?! (?:is|wordt|werd|zijn|worden|afgehandeld))", "heel tevreden"),
    ("mis", r"(?:niets|niks) mis mee", "is goed"),
    # nothing surpasses it
    ("beter",
     r"(?:kan|kon|had) (?:het )?(?:echt |gewoon )?niet beter(?: (?:gekund|zijn|kunnen))?|beter (?:kan|kon|"
     r"wordt)(?: het)? niet(?: meer)?|beter is er niet", "is uitstekend"),
    ("slechter erger",
     r"(?:kan|kon|had) (?:het )?(?:echt |gewoon )?niet (?:slechter|erger)(?: (?:gekund|zijn))?|(?:slechter|erger) (?:kan|kon|"
     r"wordt)(?: het)? niet(?: meer)?", "is verschrikkelijk"),
    # no praise is enough
    ("genoeg",
     r"kan (?:(?:ik|je|we) )?((?:\w++ ){0,4}?)niet (?:vaak |hard )?genoeg (aanbevelen|aanraden|bedanken|prijzen)",
     r"wil \1heel graag \2"),
    # "never" that strengthens
    ("nooit zelden",
     r"(?:nog )?(?:nooit|zelden) ((?:\w++ ){0,4}?)(?=(?:zo(?! (?:als|\w+ als|snel mogelijk)\b)|zo'n|zulke?)\b)", r"\1"),
    ("nauwelijks", r"nauwelijks (?:een|enige)", "geen"),
    # a denied virtue
    ("allesbehalve", r"allesbehalve (\w+)", r"helemaal niet \1"),
    ("alles", r"alles behalve (?!de|het|een|dat|mijn)(\w+)", r"helemaal niet \1"),
    ("verre", r"verre van (?!de|het|een|mijn|hier|huis)(\w+)", r"helemaal niet \1"),
    ("bepaald", r"niet bepaald (\w+)", r"niet \1"),
    ("zeggen", r"(?:zou|kan) (?:ik )?niet (?:willen )?zeggen (?=dat\b)", "vind niet "),
    # a count that says all or none
    ("keer", r"(\d{1,4}) van de \1 keer", "elke keer"),
    # two complaints, not one "no"
    ("en",
     r"geen (antwoord|geld|terugbetaling|reactie|hulp|levering|factuur|bevestiging|excuses|uitleg) en (?:alleen |"
     r"veel )?(problemen|gedoe|ellende|ruzie)", r"\1 ontbreekt, alleen \2"),
)  # fmt: skip
