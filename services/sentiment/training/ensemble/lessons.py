"""Lessons of a student in tasks other than the label: themes, urgency, and praise beside complaint."""

import random

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .fitting import half_precision
from .networks import Student
from .texts import Texts, parts

DEFINING = 6
"""Texts that define a theme in a lesson on whole comments: its description, three of its examples and two of its pieces."""
EXAMPLES, QUERIES = 4, 3
"""Pieces of a theme in a lesson on pieces: as examples, and as queries."""
THEMES, OTHERS = 16, 10
"""Themes of a lesson on pieces, and its pieces without a theme."""
OURS = 0.67
"""Share of the lessons on pieces that are in the default taxonomy; the others are in other fields."""
COMMENTS, SIDES, CALM = 96, 144, 224
"""Texts of a lesson: whole comments; texts with and without two sides, and as many for urgency; rows taken to be not urgent."""
REASONS = 6
"""Reasons for urgency."""
STEEPNESS = 12.0
"""How steeply the likeness of a theme becomes a probability among all themes."""


class StudentLessons:
    """Draws lessons in turn: two on whole comments, one on pieces, one on two sides."""

    def __init__(self, texts: Texts, net: Student, chance: random.Random) -> None:
        self.texts, self.net, self.chance = texts, net, chance
        self.by_theme = parts(texts["theme.text"], texts["theme.end"])
        """Texts by theme: the default taxonomy, the other fields, and last those without a theme."""
        self.defined = texts["theme.defined"]
        """How many of a theme's texts define it: description and examples. They come first; a theme of other fields has
        none."""
        self.ours = int((self.defined > 0).sum())
        self.pieces_of = parts(texts["comments.piece"], texts["comments.end"])
        self.turn = 0

    def read(self, numbers: np.ndarray) -> dict[str, Tensor]:
        """The outputs for texts, which are read in three parts by length, to save padding."""
        order = self.texts.by_length("e5", numbers)
        with half_precision(self.texts.device):
            outputs = [self.net(*self.texts.batch("e5", numbers[some])) for some in np.array_split(order, 3)]
        back = torch.from_numpy(np.argsort(order)).to(self.texts.device)
        return {name: torch.cat([part[name] for part in outputs])[back] for name in outputs[0]}

    def loss(self) -> Tensor:
        """The loss of the next lesson."""
        self.turn += 1
        lessons = (self.whole_comments, self.pieces, self.whole_comments, self.sides)
        return lessons[self.turn % len(lessons)]()

    def pieces(self) -> Tensor:
        """Pieces against themes of one field, each the mean of a few of its pieces."""
        others = range(self.ours, len(self.by_theme) - 1)
        field = range(self.ours) if self.chance.random() < OURS else others
        themes = self.chance.sample(list(field), min(THEMES, len(field)))
        drawn = [self.chance.sample(list(self.by_theme[theme]), EXAMPLES + QUERIES) for theme in themes]
        queries = [text for some in drawn for text in some[EXAMPLES:]] + self.chance.sample(list(self.by_theme[-1]), OTHERS)
        meaning = self.read(np.array([text for some in drawn for text in some[:EXAMPLES]] + queries))["meaning"]
        examples = EXAMPLES * len(themes)
        means = functional.normalize(meaning[:examples].view(len(themes), EXAMPLES, -1).mean(1), dim=1)
        likeness = meaning[examples:] @ means.T
        bears = torch.zeros_like(likeness)
        for place in range(len(themes)):
            bears[QUERIES * place : QUERIES * (place + 1), place] = 1
        return self.theme_loss(likeness, bears)

    def whole_comments(self) -> Tensor:
        """Whole comments: their themes, each by the likeness of the nearest piece, praise beside complaint, and urgency."""
        texts = self.texts
        chosen = self.chance.sample(range(len(self.pieces_of)), min(COMMENTS, len(self.pieces_of)))
        cut = [self.pieces_of[place] for place in chosen]
        defining = np.array([self.defining(theme) for theme in range(self.ours)]).ravel()
        out = self.read(np.concatenate([defining, texts["comments.text"][chosen], *cut]))
        meaning, begin = out["meaning"], len(defining) + len(chosen)
        means = functional.normalize(meaning[: len(defining)].view(self.ours, DEFINING, -1).mean(1), dim=1)
        likeness = meaning[begin:] @ means.T
        owner = torch.from_numpy(np.repeat(np.arange(len(cut)), [len(some) for some in cut])).to(meaning.device)
        best = torch.full((len(cut), self.ours), -1.0, device=meaning.device)
        best = best.scatter_reduce(0, owner[:, None].expand_as(likeness), likeness, "amax")
        cost = self.theme_loss(best, self.truth("comments.themes", chosen))
        whole = slice(len(defining), begin)
        mixed = self.truth("comments.mixed", chosen)
        cost = cost + 0.5 * functional.binary_cross_entropy_with_logits(out["both"][whole, 0], mixed)
        urgent = self.truth("comments.urgent", chosen)
        return cost + functional.binary_cross_entropy_with_logits(out["urgent"][whole], urgent)

    def defining(self, theme: int) -> list[int]:
        """DEFINING texts of a theme of the default taxonomy. Its description always is among them."""
        known, count = list(self.by_theme[theme]), int(self.defined[theme])
        return [known[0], *self.chance.sample(known[1:count], 3), *self.chance.sample(known[count:] or known[1:], 2)]

    def sides(self) -> Tensor:
        """Praise beside complaint, and urgency."""
        texts = self.texts
        both = self.draw("both.text", SIDES)
        urgent = self.draw("urgent.text", SIDES)
        calm = np.array(self.chance.sample(range(len(texts["train.text"])), CALM))
        out = self.read(np.concatenate([texts["both.text"][both], texts["urgent.text"][urgent], texts["train.text"][calm]]))
        cost = functional.binary_cross_entropy_with_logits(out["both"][: len(both), 0], self.truth("both.truth", both))
        reasons = torch.zeros(len(urgent) + len(calm), REASONS)
        for row, reason in enumerate(texts["urgent.reason"][urgent]):
            if reason >= 0:
                reasons[row, reason] = 1
        return cost + 2 * functional.binary_cross_entropy_with_logits(out["urgent"][len(both) :], reasons.to(texts.device))

    def draw(self, name: str, most: int) -> np.ndarray:
        """At most so many places of an array."""
        count = len(self.texts[name])
        return np.array(self.chance.sample(range(count), min(most, count)))

    def truth(self, name: str, places: np.ndarray | list[int]) -> Tensor:
        """Some rows of an array of 0 and 1, on the device."""
        return torch.from_numpy(self.texts[name][places]).float().to(self.texts.device)

    def theme_loss(self, likeness: Tensor, bears: Tensor) -> Tensor:
        """The loss of `likeness` against the truth `bears` (both texts × themes): of each match, in which matches and others
        have weights by their number; and of the order of themes, for texts that have one."""
        steep, near = self.net.steep
        weight = torch.where(bears > 0, ((bears == 0).sum() / bears.sum().clamp(min=1)).sqrt(), 1.0)
        cost = functional.binary_cross_entropy_with_logits(steep * (likeness - near), bears, weight=weight)
        some = bears.sum(1) > 0
        order = functional.log_softmax(STEEPNESS * likeness[some], dim=1)
        return cost - 0.3 * ((order * bears[some]).sum(1) / bears[some].sum(1)).mean()
