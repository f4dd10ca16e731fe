"""The text that the content of frozen subjects is compressed with: zlib's preset dictionaries, by their numbers.

A dictionary holds text that statements and scores have in common, the most frequent last. It never changes, since frozen subjects
can't be read without it: another text is a further number.
"""

TEXT = (
    b'"deleted":true,"stars":,"title":"type":"review","sent_at":","raw":"polarity":"easy_is_high","easy_is_low","kind":"ces",'
    b'"type":"override","comment":","label":"themes":["fact":"merged","at":","into":"value":false,"fact":"spam","fact":"deleted",'
    b'"fact":"priority","at":"","priority":"urgent","high","normal","low"},"mixed":true,"flags":["urgency":["taxonomy":'
    b'"theme":","score":-0.},{"theme":"label":"neutral","label":"negative","label":"positive","score":0.,"confidence":0.,'
    b'"language":"de","fr","es","en","themes":[{"text_hash":"web","api","chat","phone","email","fact":"rating","at":"kind":"csat",'
    b'"value":5,"scale":[1,5],"positive_from":4,"id":"r"}]}}","text_digest":"auto":true,"public":false,"by":"bot","by":"customer",'
    b'"pending","on_hold","closed","open","fact":"status","at":"","status":"solved"}]}}"fact":"opened","at":"","text":"},'
    b'{"fact":"assigned","at":"","team":"","agent":"},{"fact":"message","at":"","by":"agent","agent":"","id":"m-"aliases":['
    b'{"pseudonym":"","kind":"email"},{"kind":"id"},"question":"","kind":"comment","text":"","language":"en"}]}}'
    b'{"tenant":"","subject":"con_/ticket//response/","statement":"d_","revision":2,"seq":,"position":1,"at":"2026-01-T:00:00Z",'
    b'"received_at":"2026-","connection":"con_","source":"zendesk","typeform","standard","customer":"","dimensions":{"channel":"",'
    b'"region":"","language":"","survey":"","segment":"","product":""},"body":{"type":"ticket","facts":[{"fact":"'
    b'"body":{"type":"response","at":"2026-","answers":[{"question":"q1","kind":"nps","value":9},{"question":"'
)

DICTIONARIES = {1: TEXT}
LATEST = 1
