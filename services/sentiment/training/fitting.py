"""The training loop: batches of texts of similar length, a learning rate with warm-up and decay, half precision."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.sentiment.training.encoder import Outputs, Reader, pooled
from services.sentiment.training.rounding import Flow

PAD = 1
WARM_UP = 0.06
CHECKPOINT_EVERY = 500
REPORT_EVERY = 50
"""Steps."""
Ids = Sequence[Sequence[int]]
Floats = NDArray[np.float32]
Loss = Callable[[list[int], Outputs], Tensor]
"""The loss, from the indices of a batch's texts and their outputs."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Hyperparameters. `decay`: ratio of a layer's learning rate to that of the layer above it."""

    epochs: float
    rate: float
    head_rate: float = 1e-3
    decay: float = 0.93
    batch: int = 64


def fit(net: Reader, ids: Ids, loss: Loss, pace: Pace, checkpoint: Path) -> None:
    """Fit `net` on the texts `ids`, print its progress, and write the weights to `checkpoint`.

    An interrupted training continues from the file `.part` beside it.
    """
    steps = round(pace.epochs * len(ids) / pace.batch)
    optimiser = torch.optim.AdamW(groups(net, pace), fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: slope(step / steps))
    trained = [weight for weight in net.parameters() if weight.requires_grad]
    progress = Checkpoint(checkpoint.with_suffix(".part"), {"net": net, "optimiser": optimiser, "schedule": schedule})
    done = progress.restore()
    began, running = time.monotonic(), 1.0
    net.train()
    for step, batch in islice(zip(range(1, steps + 1), batches(ids, pace.batch), strict=False), done, None):
        with half_precision():
            outputs = net(*padded([ids[place] for place in batch]))
        cost = loss(batch, Outputs(*(part.float() for part in outputs)))
        optimiser.zero_grad(set_to_none=True)
        cost.backward()
        nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
        optimiser.step()
        schedule.step()
        running += 0.02 * (cost.item() - running)
        if step % REPORT_EVERY == 0:
            left = (time.monotonic() - began) / (step - done) * (steps - step) / 60
            print(f"  step {step} of {steps}, loss {running:.4f}, {left:.0f} minutes left", flush=True)
        if step % CHECKPOINT_EVERY == 0:
            progress.save(step)
    torch.save(net.state_dict(), checkpoint)
    progress.path.unlink(missing_ok=True)


def half_precision() -> torch.autocast:
    """Half precision if the processor has AVX-512; without it, half precision takes 30 times as long as floats."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=torch.backends.cpu.get_cpu_capability() == "AVX512")


class Checkpoint:
    """A checkpoint file, from which an interrupted training continues."""

    def __init__(self, path: Path, parts: Mapping[str, Any]) -> None:
        self.path = path
        self._parts = parts

    def save(self, step: int) -> None:
        torch.save({"step": step, **{name: part.state_dict() for name, part in self._parts.items()}}, self.path)

    def restore(self) -> int:
        """Restore the state. Returns the step; 0 without a checkpoint."""
        if not self.path.exists():
            return 0
        state = torch.load(self.path)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        return int(state["step"])


def slope(done: float) -> float:
    """The learning rate as a share of the highest: it rises during warm-up, then falls to a hundredth."""
    return done / WARM_UP if done < WARM_UP else max(0.01, (1 - done) / (1 - WARM_UP))


def groups(net: Reader, pace: Pace) -> list[dict[str, object]]:
    """Parameter groups with their learning rates, which fall from layer to layer."""
    top = net.encoder.config.num_hidden_layers
    parameters: list[dict[str, object]] = []
    for name, weight in net.named_parameters():
        if weight.requires_grad:
            height = int(name.split("layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
            rate = pace.rate * pace.decay ** (top - height) if name.startswith("encoder") else pace.head_rate
            parameters.append({"params": [weight], "lr": rate, "weight_decay": 0.01 if weight.ndim > 1 else 0.0})
    return parameters


def batches(ids: Ids, size: int) -> Iterator[list[int]]:
    """Batches of indices without end, each text once per epoch; texts of a batch have similar lengths."""
    chance = random.Random(0)
    while True:
        places = list(range(len(ids)))
        chance.shuffle(places)
        for start in range(0, len(places), 50 * size):
            alike = sorted(places[start : start + 50 * size], key=lambda place: len(ids[place]))
            cut = [alike[first : first + size] for first in range(0, len(alike), size)]
            chance.shuffle(cut)
            yield from cut


def padded(texts: Ids) -> tuple[Tensor, Tensor]:
    """Ids and mask (texts × tokens)."""
    ids = np.full((len(texts), max(map(len, texts))), PAD, np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text)] = text
    return torch.from_numpy(ids), torch.from_numpy((ids != PAD).astype(np.int64))


def read_all(net: Reader, ids: Ids) -> tuple[Floats, Floats]:
    """Logits and last states of all texts."""
    net.eval()
    logits, _, tops, _ = each(net, ids)
    return logits, tops


def means(net: Reader, ids: Ids) -> Floats:
    """The mean of each text's last states (texts × hidden)."""

    def top(batch: Tensor, mask: Tensor) -> tuple[Tensor]:
        return (pooled(net.encoder(input_ids=batch, attention_mask=mask).last_hidden_state, mask),)

    net.eval()
    return each(top, ids)[0]


def flows(net: Reader, ids: Ids) -> dict[str, Flow]:
    """The input of each matrix product of the encoder, by name, for texts one at a time, without padding."""
    by_name: dict[str, Flow] = {}

    def note(name: str, inputs: Tensor) -> None:
        rows = inputs.reshape(-1, inputs.shape[-1]).numpy()
        by_name[name] = by_name.get(name, Flow(rows[0], rows[0])).met(rows)

    products = [(name, part) for name, part in net.named_modules() if ".layer." in name and isinstance(part, nn.Linear)]
    hooks = [part.register_forward_pre_hook(lambda _, inputs, name=name: note(name, inputs[0])) for name, part in products]
    net.eval()
    with torch.no_grad():
        for text in ids:
            net(*padded([text]))
    for hook in hooks:
        hook.remove()
    return by_name


def each(net: Callable[[Tensor, Tensor], tuple[Tensor, ...]], ids: Ids, size: int = 128) -> list[Floats]:
    """The outputs of `net` for all texts, in their order, computed in batches of similar length."""
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = [net(*padded([ids[place] for place in order[start : start + size]])) for start in range(0, len(order), size)]
    back = np.argsort(order)
    return [torch.cat(column).float().numpy()[back] for column in zip(*outputs, strict=True)]
