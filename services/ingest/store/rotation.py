"""The secrets of a connection: one, or two while a rotation is open, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.problems import Conflict


class RotationOpen(Conflict):
    """A further secret would make the former one of an open rotation invalid, with which the tool may still sign."""

    title = "Rotation open"

    def __init__(self) -> None:
        super().__init__(
            "a rotation is open: the former secret stays valid until you end it. Nothing was changed. When the tool signs with "
            'the newest secret, end the rotation by {"retire_secret": true}, then start the next. To replace the newest secret, '
            'send "cancel_rotation": true beside "secret". To make a new secret the only valid one at once, send '
            '"retire_secret": true beside "secret"'
        )


class NoRotation(Conflict):
    """There is no open rotation to cancel."""

    title = "No rotation open"

    def __init__(self) -> None:
        super().__init__("no rotation is open, so there is nothing to cancel; nothing was changed")


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of a connection's secrets.

    `new` becomes the newest secret. `retires`: only the newest secret stays valid, which ends the rotation. `cancels`: the newest
    secret of an open rotation becomes invalid, and the former one is the newest again, before `new` is added.
    """

    new: str | None = None
    retires: bool = False
    cancels: bool = False

    def valid_secrets(self, present: Sequence[str]) -> list[str]:
        """The valid secrets after the change, the newest first. `present` are those before it.

        Raises NoRotation if there is none to cancel, RotationOpen if `new` would be a third valid secret.
        """
        if self.cancels and len(present) < 2:
            raise NoRotation
        left = [*present[1:]] if self.cancels else [*present]
        if self.new is None:
            return left[:1] if self.retires else left
        if self.retires:
            return [self.new]
        if len(left) > 1:
            raise RotationOpen
        return [self.new, *left]
