"""Fit a network in a number of steps or a number of seconds, whichever ends first."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

SMOOTHED = 0.05
"""Label smoothing, since labels are noisy."""
WARM_UP = 0.05
"""The share of a training in which the learning rate rises."""
LEAST = 0.01
"""The lowest share of the learning rate, at the end."""
SHRINKING = 0.01
"""Weight decay of matrices (AdamW)."""


class Schedule(NamedTuple):
    """The length of a training, and its learning rates. `rate` is that of the topmost layer; each layer below has `decay` of
    the rate above it. `batch` is the number of texts in a step."""

    epochs: float
    rate: float
    decay: float
    batch: int
    seconds: float

    def steps(self, rows: int) -> int:
        """The steps of so many rows, without the limit of seconds."""
        return int(self.epochs * rows / self.batch)


def half_precision(device: str) -> torch.autocast:
    """A context in which matrix products are computed in bfloat16."""
    return torch.autocast(device, dtype=torch.bfloat16)


def adam(net: nn.Module, schedule: Schedule, head_rate: float) -> torch.optim.Optimizer:
    """AdamW with a learning rate for each layer, and `head_rate` outside of the encoder."""
    top = len(net.encoder.encoder["layer"])
    groups: list[dict[str, Any]] = []
    for name, weight in net.named_parameters():
        if weight.requires_grad:
            height = int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
            rate = schedule.rate * schedule.decay ** (top - height) if name.startswith("encoder") else head_rate
            groups.append({"params": [weight], "lr": rate, "weight_decay": SHRINKING if weight.ndim > 1 else 0.0})
    return torch.optim.AdamW(groups, fused=groups[0]["params"][0].is_cuda)


def share_of_rate(done: float) -> float:
    """The share of the learning rate when so much of a training is done: it rises in WARM_UP, then falls in a line."""
    return done / WARM_UP if done < WARM_UP else max(LEAST, (1 - done) / (1 - WARM_UP))


def fit(
    net: nn.Module,
    optimiser: torch.optim.Optimizer,
    steps: int,
    seconds: float,
    loss: Callable[[int], Tensor],
    after: Callable[[], None] = lambda: None,
) -> None:
    """Take `steps` steps, or as many as `seconds` allow. `loss` gets the step's number from 1 on; `after` follows each step."""
    full = [group["lr"] for group in optimiser.param_groups]
    trained = [weight for weight in net.parameters() if weight.requires_grad]
    began, running, count = time.monotonic(), torch.zeros((), device=trained[0].device), 0
    for step in range(1, steps + 1):
        done = max(step / steps, (time.monotonic() - began) / seconds)
        if done > 1:
            break
        for group, rate in zip(optimiser.param_groups, full, strict=True):
            group["lr"] = rate * share_of_rate(done)
        cost = loss(step)
        optimiser.zero_grad(set_to_none=True)
        cost.backward()
        nn.utils.clip_grad_norm_(trained, 1.0, foreach=True)
        optimiser.step()
        after()
        count = step
        running = running + 0.02 * (cost.detach() - running)
        if step % 500 == 0:
            print(
                f"  step {step} of {steps}, {done:.0%}, loss {float(running):.4f}, {time.monotonic() - began:.0f} s", flush=True
            )
    print(f"  {count} steps in {time.monotonic() - began:.0f} s, loss {float(running):.4f}", flush=True)
