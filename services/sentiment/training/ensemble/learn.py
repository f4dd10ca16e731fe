"""`python -m services.sentiment.training.ensemble.learn STEP --work FOLDER …`: the part of the training that needs a GPU.

`teach` fine-tunes one teacher without a part of the labelled rows. `soften` stores the opinion of all teachers together of
every text; of a labelled row, half of it by the teacher that was not taught its label. `distil` fits a student to that, to
the labels, and to lessons in themes, urgency, and praise beside complaint. `look` prints the figures of e5-4, with which
students begin.

Needs PyTorch and numpy alone. In a copy of this folder: `python -m ensemble.learn STEP --work FOLDER …`.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from .beginning import SHAPES
from .distil import distil
from .fitting import Schedule
from .look import look
from .soften import soften
from .teach import teach
from .texts import FOLDS, Texts


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step."""
    options = parser().parse_args(arguments)
    print(json.dumps({name: str(value) for name, value in vars(options).items()}))
    texts = Texts(options.work, options.device)
    if options.step == "teach":
        teach(texts, options.kind, options.fold, schedule_of(options))
    elif options.step == "soften":
        soften(texts)
    elif options.step == "distil":
        distil(texts, options.shape, schedule_of(options))
    else:
        look(texts)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument("--work", type=Path, required=True, help="the folder of the arrays and of the results")
    everywhere.add_argument("--device", default="cuda")
    trained = argparse.ArgumentParser(add_help=False)
    trained.add_argument("--epochs", type=float, default=3.0)
    trained.add_argument("--rate", type=float, default=1e-4, help="the learning rate of the topmost layer")
    trained.add_argument("--decay", type=float, default=0.95, help="the rate of a layer as a share of that above it")
    trained.add_argument("--batch", type=int, default=128, help="texts in a step")
    trained.add_argument("--seconds", type=float, default=1e9, help="when to end if the epochs take longer")
    result = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = result.add_subparsers(dest="step", required=True)
    teaching = steps.add_parser("teach", parents=[everywhere, trained])
    teaching.add_argument("--kind", choices=("e5", "mpnet"), default="e5")
    teaching.add_argument("--fold", type=int, choices=range(FOLDS), default=0)
    steps.add_parser("soften", parents=[everywhere])
    steps.add_parser("distil", parents=[everywhere, trained]).add_argument("--shape", choices=tuple(SHAPES), default="l8")
    steps.add_parser("look", parents=[everywhere])
    return result


def schedule_of(options: argparse.Namespace) -> Schedule:
    """The schedule of `teach` or `distil`."""
    return Schedule(options.epochs, options.rate, options.decay, options.batch, options.seconds)


if __name__ == "__main__":
    main()
