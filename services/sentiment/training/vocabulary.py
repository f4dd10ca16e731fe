"""Choose which of the encoder's 250,000 tokens are shipped: those that the served languages use.

They are chosen by their use in the training texts and, since these are small and mostly English, in the commonest words of each
language (the lists of `wordfreq`, in lower case and with a capital letter). The tokenizer splits a word whose token is
not shipped into smaller ones.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from wordfreq import top_n_list, word_frequency

from services.sentiment.domain.languages import SERVED
from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.versions import LATEST

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""The first four tokens; their indices are their ids."""
SIZE = 56_000
COMMON_WORDS = 150_000
SEEN_ONCE = 2e-8
"""Weight of an occurrence in the training texts, as a share of a language's words: about one in fifty million."""

Pieces = Sequence[tuple[str, float]]


def tokenizer(pieces: Pieces, longest: int | None = None) -> Tokenizer:
    """A tokenizer with only `pieces`, which truncates texts to `longest` of them."""
    made = Tokenizer(models.Unigram(list(pieces), SPECIAL.index("<unk>"), False))
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    if longest is not None:
        made.enable_truncation(longest)
    return made


def choose_pieces(pieces: Pieces, texts: Iterable[str], size: int = SIZE) -> list[int]:
    """Indices of the `size` most important tokens: special ones, single letters, then by use."""
    use = used(tokenizer(pieces), texts)
    letters = [place for place, (piece, _) in enumerate(pieces) if len(piece.lstrip("▁")) <= 1 and use[place]]
    first = dict.fromkeys([*range(len(SPECIAL)), *letters])
    return sorted(dict.fromkeys([*first, *sorted(use, key=lambda place: -use[place])][: max(size, len(first))]))


def used(reader: Tokenizer, texts: Iterable[str]) -> dict[int, float]:
    """The use of each token, summed over the languages."""
    use: dict[int, float] = defaultdict(float)
    for encoding in reader.encode_batch(list(texts), add_special_tokens=False):
        for place in encoding.ids:
            use[place] += SEEN_ONCE
    for language in sorted(SERVED):
        words = top_n_list(language, COMMON_WORDS)
        for spelling in (str, str.capitalize):
            for word, encoding in zip(
                words, reader.encode_batch([cased(spelling(w), LATEST) for w in words], add_special_tokens=False), strict=True
            ):
                for place in encoding.ids:
                    use[place] += word_frequency(word, language) * (1.0 if spelling is str else 0.1)
    return use
