"""Non-answers: "n/a", "no comment", "-". They get no label and are not counted."""

import re

NON_ANSWERS = frozenset(
    {
        # English
        "n a", "na", "none", "nil", "null", "no", "nope", "nothing", "nothing to add", "nothing else", "nothing to say",
        "no comment", "no comments", "no further comment", "no further comments", "no answer", "no feedback", "not applicable",
        "x", "xx", "xxx", "test", "testing", "nothing really", "nothing in particular", "nothing at all", "nothing comes to mind",
        "nothing more to add", "nothing further", "nothing further to add", "nothing to report", "nothing to comment",
        "no thanks", "no thank you", "no answers", "no opinion", "no remarks", "no suggestions", "no additional comments",
        "no other comments", "none at this time", "not at this time", "see above", "same as above", "as above", "don't know",
        "i don't know", "dont know", "idk", "not sure", "no idea", "can't think of anything", "i have no comments",
        "i have nothing to add", "that's all", "thats all",
        # German
        "nein", "nichts", "keine", "keiner", "kein kommentar", "keine angabe", "keine angaben", "keine anmerkung",
        "keine anmerkungen", "entfällt", "k a", "nichts hinzuzufügen", "ka", "kein", "keinen",
        "keine antwort", "keine bemerkung", "keine bemerkungen", "keine ergänzung", "keine ergänzungen", "keine meinung",
        "keine ahnung", "keine vorschläge", "kein feedback", "keine kommentare", "nichts zu sagen", "nichts weiter",
        "nichts zu ergänzen", "nichts dazu", "ich habe nichts hinzuzufügen", "nein danke", "weiss nicht",
        "ich weiss nicht", "siehe oben", "s o", "wie oben", "nicht zutreffend", "trifft nicht zu",
        "fällt mir nichts ein", "mir fällt nichts ein", "das war's", "nö", "nee",
        # French
        "non", "rien", "aucun", "aucune", "aucun commentaire", "pas de commentaire", "rien à signaler", "rien à ajouter", "ras",
        "r a s", "sans objet", "aucune remarque", "aucune réponse", "aucune idée", "aucun avis", "aucune suggestion",
        "aucune observation", "aucun commentaire à faire", "aucun commentaire particulier", "pas de commentaires",
        "pas de remarque", "pas de remarques", "pas d'avis", "pas d'opinion", "pas de réponse", "pas de suggestion",
        "sans commentaire", "sans avis", "sans réponse", "sans opinion", "rien de particulier", "rien à dire", "rien d'autre",
        "rien de plus", "rien de spécial", "je n'ai rien à ajouter", "non merci", "je ne sais pas", "je sais pas", "ne sait pas",
        "nsp", "voir ci dessus", "idem", "non applicable", "néant", "non concerné",
        # Spanish
        "nada", "ninguno", "ninguna", "ningún comentario", "sin comentario", "sin comentarios", "no aplica", "nada que añadir",
        "nada más", "nada que decir", "nada que comentar", "nada que agregar", "nada en especial", "nada en particular",
        "nada por ahora", "no tengo nada que añadir", "ningún", "ningun comentario", "ninguna observación", "ninguna sugerencia",
        "ninguna respuesta", "sin respuesta", "sin opinión", "sin observaciones", "sin novedad", "sin sugerencias",
        "no hay comentarios", "no tengo comentarios", "no gracias", "no sé", "no se", "no lo sé", "no sabe", "ns nc", "ns", "nc",
        "ver arriba", "igual que arriba", "ídem", "no procede", "eso es todo",
        # Italian
        "niente", "nulla", "nessuno", "nessun commento", "nessuna", "niente da aggiungere",
        "niente da dire", "niente da segnalare", "niente altro", "nient'altro", "niente di particolare", "nulla da aggiungere",
        "nulla da dire", "nulla da segnalare", "nulla di particolare", "nessuna osservazione", "nessuna risposta",
        "nessun suggerimento", "nessuna opinione", "nessuna idea", "senza commenti", "senza commento", "nessun commento da fare",
        "no grazie", "non so", "non lo so", "non saprei", "vedi sopra", "come sopra", "non applicabile",
        "non pertinente", "non ho nulla da aggiungere", "non ho niente da aggiungere", "nd", "n d", "è tutto",
        # Portuguese
        "não", "nenhum", "nenhuma", "nenhum comentário", "sem comentário", "sem comentários", "nada a declarar",
        "nada a acrescentar", "nada mais", "nada a dizer", "nada a comentar", "nada a adicionar", "nada em especial",
        "nada de mais", "nada consta", "nada por enquanto", "não tenho nada a acrescentar", "não tenho comentários",
        "nenhuma observação", "nenhuma sugestão", "nenhuma resposta", "nenhuma opinião", "sem resposta", "sem opinião",
        "sem observações", "sem sugestões", "sem mais", "sem mais comentários", "não obrigado", "não obrigada", "não sei",
        "nao sei", "nao", "não se aplica", "nao se aplica", "não aplicável", "ver acima", "é tudo", "é só isso",
        # Dutch
        "geen", "niets", "geen commentaar", "geen opmerking", "geen opmerkingen", "niet van toepassing", "n v t", "nvt",
        "geen opmerkingen verder", "verder geen opmerkingen", "geen verdere opmerkingen", "geen toevoegingen", "geen toevoeging",
        "geen antwoord", "geen mening", "geen idee", "geen suggesties", "geen feedback", "geen reactie", "niets toe te voegen",
        "niks toe te voegen", "niks", "niets bijzonders", "niets te melden", "niets te zeggen", "verder niets", "verder niks",
        "ik heb niets toe te voegen", "nee bedankt", "nee dank je", "weet ik niet", "weet niet", "ik weet het niet", "zie boven",
        "zie hierboven", "dat was het", "dat is alles",
        # Arabic
        "لا", "كلا", "لا شيء", "لا شي", "لا شئ", "لاشيء", "لا يوجد", "لايوجد", "لا يوجد شيء", "لا يوجد تعليق", "لا تعليق",
        "بدون تعليق", "بلا تعليق", "لا توجد ملاحظات", "لا يوجد ملاحظات", "لا ملاحظات", "بدون ملاحظات", "لا إجابة", "لا جواب",
        "لا ينطبق", "غير متوفر", "غير محدد", "لا أعرف", "لا اعرف", "لا أعلم", "لا ادري", "لا أدري", "لا رأي", "لا إضافة",
        "لا شيء آخر", "لا شكرا", "لا اقتراحات", "لا توجد اقتراحات", "ما في", "مافي", "ما فيه", "لا أحد",
    }
)  # fmt: skip
"""Compared after `plain`."""

BLANKS = re.compile(r"[\W_]+")
STROKES = re.compile(r"[\s\-‐-―−.…,;/\\_*]*")
"""Characters typed to get past a required field. Not `!`, `?` or brackets, which express a mood."""


def plain(text: str) -> str:
    """Casefolded, with every run of other characters than letters and digits as one space."""
    return BLANKS.sub(" ", text.casefold()).strip()


KNOWN = frozenset(map(plain, NON_ANSWERS))
LONGEST = max(map(len, KNOWN))


def is_non_answer(text: str) -> bool:
    """Whether `text` is a non-answer."""
    if STROKES.fullmatch(text):
        return True
    trimmed = text.strip()
    return len(trimmed) <= LONGEST + 8 and plain(trimmed) in KNOWN
