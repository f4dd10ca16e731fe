"""The themes of a comment as they are shown: a human's in place of the model's."""

from services.metrics.domain.contributions import LABELS
from shared.events import Override, Score, Theme


def judged_themes(score: Score, override: Override | None) -> tuple[Theme, ...]:
    """A human's themes beat the model's. How the text speaks of each is the model's word where it found the theme too, else the
    human's label, else the score of the whole text (0 where it has none)."""
    if override is None or not override.themes:
        return score.themes
    found = {theme.theme: theme.score for theme in score.themes}
    whole = float(LABELS[override.label]) if override.label is not None else score.score or 0.0
    return tuple(Theme(name, found.get(name, whole)) for name in dict.fromkeys(override.themes))
