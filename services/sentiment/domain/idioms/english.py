"""Idioms of English: cues, pattern, plain words."""

NOT = r"(?:can(?:'t|not| not)|could(?:n't| not))"
EVER = (
    r"had|been|seen|experienced|met|received|used|felt|heard|read|encountered|known|dealt with|come across|"
    r"tried|eaten|bought"
)
NEEDS = (
    r"payment|refund|reply|answer|response|help|support|delivery|parcel|package|invoice|receipt|apology|explanation|"
    r"compensation|callback|confirmation|notification|information|update|contact|feedback|solution|replacement|repair"
)
TROUBLE = r"problems?|trouble|issues?|difficult(?:y|ies)|delays?|errors?|excuses|hassle"
BEING = (
    r"(?:\w+')?(?:is|s|was|are|re|were|be|been|being)|feels?|felt|seem(?:s|ed)?|look(?:s|ed)?|sound(?:s|ed)?|"
    r"ma(?:de|kes) (?:it|this)"
)
SMALL = r"\d{1,4}|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty"
WHOLE = r"for|from|stars?|points?|but|and|would|will|because|so|on|to|in|with|as|is"

IDIOMS = (
    # a negated fault is praise
    ("bad shabby",
     r"(?:(is|was|are|were)n't|not) (?:(?:at all |half )?bad(?: at all)?|(?:so |that |too )bad at all|(?:half |so |that |"
     r"too )?shabby(?: at all)?)", r"\1 really good"),
    ("worst", r"(?:(is|was|are|were)n't|not) (?:quite |exactly )?the (?:very )?worst", r"\1 okay"),
    ("complain", rf"{NOT} (?:really |possibly )?complain", "am very satisfied"),
    ("complain",
     r"(?:have |had |has |there's |there is |there was )?nothing (?:at all |whatsoever |really |much )?to complain about",
     "all is very good"),
    ("complaints complaint",
     r"(?:(?:have|had|has|got) )?(?:no|zero|not a single|not one)(?: real| serious| major)? complaints?(?= (?:so|at|here|"
     r"about|whatsoever|from me|from us|with|really|to make)\b| ?[.,!;]| ?$)", "very satisfied"),
    ("fault", rf"{NOT} (?:really |possibly |honestly )?fault", "really like"),
    # nothing surpasses it
    ("better", rf"(?:do(?:es)?n't|does not|do not|{NOT}) get (?:any |much )?better than (?:this|that)", "is excellent"),
    ("worse",
     rf"(?:do(?:es)?n't|does not|do not) get (?:any |much )?worse than (?:this|that)|{NOT} get (?:any |"
     rf"much )?worse(?: than (?:this|that))?", "is terrible"),
    ("better", r"could(?:n't| not) (?:be|have been|have gone) (?:any )?better", "was excellent"),
    ("worse", r"could(?:n't| not) (?:be|have been|have gone) (?:any )?worse", "was terrible"),
    ("more", rf"{NOT} (?:be|have been) (?:any )?more (\w+)", r"was extremely \1"),
    ("better", rf"{NOT} (?:really )?(?:ask|wish|hope) for (?:a |any )?better", "have got an excellent"),
    # no praise is enough
    ("enough",
     rf"{NOT} (?:really )?(recommend|thank|praise|rate) ((?:[\w']++ ){{0,5}}?)(?:(?:highly|strongly|warmly) )?enough",
     r"\1 \2very much"),
    ("enough", rf"{NOT} speak (?:highly|well) enough of", "speak very highly of"),
    ("enough", rf"{NOT} say enough (good|nice|great|bad) things", r"say many \1 things"),
    # "never" that strengthens
    ("never", rf"never (?:before |ever )?({EVER})((?: [\w']++){{0,3}}?) such an?(?= \w)", r"\1\2 a really"),
    ("never", rf"never (?:before |ever )?({EVER})((?: [\w']++){{0,3}}?) (such|so)(?= \w)", r"\1\2 \3"),
    ("ever", r"(?:hardly|barely|scarcely) ever", "never"),
    ("hardly barely scarcely", r"(?:hardly|barely|scarcely) (?:any|a single)(?! of)", "no"),
    ("next little almost practically virtually",
     r"(?:next to no|little to no|almost no|practically no|virtually no)(?! one)", "no"),
    # a denied virtue
    ("anything", rf"({BEING}) anything but (?!an? |the )(\w+)", r"\1 not \2 at all"),
    ("less",
     r"less than (helpful|impressed|satisfied|satisfactory|ideal|impressive|pleased|friendly|professional|perfect|honest|"
     r"thrilled|adequate|stellar|happy|polite|useful|reliable)", r"not \1"),
    ("say claim",
     rf"(?:would(?:n't| not)|{NOT}) (?:really |exactly |honestly |go as far as to )?(?:say|claim) (?:that )?(?=(?:i|i'm|i've|"
     rf"we|it|it's|this|that|they|the|you|your|my|he|she|our|these|those)\b)", "don't think "),
    ("call",
     r"would(?:n't| not) (?:really |exactly )?call (it|this|that|them) (?:very |particularly )?(?!an? |the |again|back)(\w+)",
     r"think \1 is not \2"),
    # a count that says all or none; a rating ("10 out of 10 for the service") is none
    ("times occasions", rf"({SMALL}) (?:out )?of (?:the )?(?:last )?\1 (?:times|occasions)", "every time"),
    ("of", rf"({SMALL}) (?:out )?of (?:the |my |our )?\1 (?!(?:{WHOLE})\b)(?=[a-z]+s\b)", "all "),
    ("of", rf"(?:0|none) (?:out )?of (?:the |my |our )?(?:{SMALL}) (?!(?:{WHOLE})\b)(?=[a-z]+s\b)", "no "),
    # two complaints, not one "no"
    ("and",
     rf"no ({NEEDS}) and (?:only |just |constant |many |lots of |endless |nothing but )?({TROUBLE})",
     r"the \1 is missing, and \2"),
)  # fmt: skip
