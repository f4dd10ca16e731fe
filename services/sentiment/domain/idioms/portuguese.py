"""Idioms of Portuguese: cues, pattern, plain words."""

COMPLAIN = r"reclamar|apontar|criticar|assinalar|queixar"

IDIOMS = (
    # a negated fault is praise
    ("mal mau má ruim", r"não (está|estava|esteve|é|era|foi|ficou|são) (?:nada )?(?:mal|mau|má|ruim)", r"\1 muito bom"),
    ("mal mau má ruim", r"nada (?:mal|mau|má|ruim)", "muito bom"),
    (COMPLAIN.replace("|", " "),
     rf"(?:(?:não )?(?:tenho|temos|há|tem) )?(?:absolutamente )?nada (?:a|de que|que|do que) (?:me )?(?:{COMPLAIN})",
     "está tudo muito bom"),
    ("queixas queixa reclamações reclamação",
     r"(?:não (?:tenho|temos|há) |sem |zero )(?:nenhuma |qualquer |uma única )?(?:queixas?|reclamaç(?:ões|ão))(?: alguma|"
     r" nenhuma)?(?! (?:foi|foram))", "muito satisfeito"),
    ("queixar reclamar", r"não (?:me |nos )?(?:posso|podemos) (?:me |nos )?(?:queixar|reclamar)", "muito satisfeito"),
    # nothing surpasses it
    ("melhor",
     r"melhor (?:é )?impossível|não (?:há|existe|tem) melhor|não (?:podia|poderia|pode) (?:ser|estar|ter sido|ter corrido|"
     r"correr)(?: \w+)? melhor", "é excelente"),
    ("pior",
     r"pior (?:é )?impossível|não (?:podia|poderia|pode) (?:ser|estar|ter sido|ter corrido|correr)(?: \w+)? pior", "é péssimo"),
    ("mais", r"não (?:podia|poderia|pode) (?:ser|estar|ter sido) mais (\w+)", r"é muito \1"),
    # no praise is enough
    ("suficiente bastante",
     r"não (?:posso|consigo) (recomendar|agradecer|elogiar)(\S*) (?:o )?(?:suficiente|bastante)", r"quero \1\2 muito"),
    # "never" that strengthens
    ("nunca jamais",
     r"(?:nunca|jamais) ((?:(?:antes|me|nos|te|o|a|lhe) ){0,2}(?:tinha|tive|vi|fui|havia|tivemos|vimos|fomos|"
     r"fiquei) (?:\w++ ){0,5}?)(?=(?:tão|tal|tanto|tanta|semelhante)(?! \w+ (?:como|quanto))\b)", r"\1"),
    # a denied virtue
    ("nada", r"não (é|são|foi|era|está|ficou|foram) nada (?!mais|mal|mau|ruim|menos|que|de|do|da)(\w+)", r"não \1 \2"),
    ("menos", r"(?:tudo|qualquer coisa) menos (?!o|a|os|as|um|uma|isso|que|em|no|na|de|do|da|com|por)(\w+)", r"nada \1"),
    ("diria dizer", r"não (?:diria|posso dizer|poderia dizer) (?=que\b)", "não acho "),
    # a count that says all or none
    ("vezes", r"(\d{1,4}) (?:de|em|das?) (?:cada )?\1 vezes|(\d{1,4}) vezes em (?:cada )?\2", "todas as vezes"),
)  # fmt: skip
