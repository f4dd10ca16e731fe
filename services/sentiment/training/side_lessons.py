"""Lessons: batches of two other tasks, themes and praise beside complaint, between the batches of rows."""

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from services.sentiment.domain.preprocessing import cased
from services.sentiment.domain.versions import LATEST
from services.sentiment.training.data import Row
from services.sentiment.training.encoder import Outputs, Reader
from services.sentiment.training.fitting import half_precision, padded
from services.sentiment.training.meaning import Lessons, nearness_loss, split
from services.sentiment.training.themes.data import pieces
from services.sentiment.training.two_sided.data import TwoSidedLessons, sheets


class SideLessons:
    """Draws lessons and reads them with `net`. `rows`: the training rows."""

    def __init__(self, net: Reader, tokens: Tokenizer, rows: Sequence[Row]) -> None:
        self._net = net
        self._tokens = tokens
        self._themes = Lessons(split(pieces())[0])
        self._both = TwoSidedLessons(sheets(), rows)

    def both_loss(self) -> Tensor:
        """The loss of the next lesson in praise beside complaint."""
        texts, truth = self._both.draw()
        return functional.binary_cross_entropy_with_logits(self._read(texts).both[:, 0], torch.tensor(truth))

    def theme_loss(self) -> Tensor:
        """The loss of the next lesson in themes."""
        lesson = self._themes.draw()
        return nearness_loss(self._read(lesson.texts).meaning, lesson.bears)

    def _read(self, texts: Sequence[str]) -> Outputs:
        with half_precision():
            outputs = self._net(*padded([self._tokens.encode(cased(text, LATEST)).ids for text in texts]))
        return Outputs(*(part.float() for part in outputs))
