"""Train the built-in checkpoint: stages that continue one another from a saved state.

    python -m model.nano.train --bank build/nano/bank --state build/nano/state --minutes 9 --until 0.5

A stage runs for ``--minutes`` and moves the schedule to ``--until`` (0 to 1 of the whole recipe);
the next one goes on from there. The learning rate warms up, stays, and falls linearly from 60%.
The experiment log, failures included, is EXPERIMENTS.md beside this file.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.architecture import attention, rotary, vision
from model.architecture.experts import Router
from model.architecture.kimi_vl import KimiVL, init_weights
from model.architecture.norm import RMSNorm
from model.config import parse_config
from model.nano.codec import Codec, nano_ranks
from model.nano.config import LARGE, SMALL, nano_config
from model.nano.dataset import Plan, loader
from model.nano.losses import Batch, Heads, Losses, step_losses
from model.nano.muon import Muon, foreach_lerp
from model.text.tokenizer_build import write_tokenizer
from model.tokenizer import Tokenizer
from model.weights import load_model

POINTING_LAYER = 3
FIGURES = ("answer", "characters", "pointing", "hit", "pointed", "refused", "wrongly_refused")
PEAK_RATE = 2e-3
WARMUP_STEPS = 300
FALL_FROM = 0.6
BIAS_RATE = 1e-3
EMA_DECAY = 0.998


@dataclass(slots=True)
class Trainer:
    """Everything a stage changes."""

    model: KimiVL
    heads: Heads
    optimiser: Muon
    average: dict[str, Tensor]
    progress: float = 0.0
    screens: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write the whole state; the old file stays until the new one is complete."""
        part = path.with_suffix(".part")
        torch.save(
            {
                "optimiser": self.optimiser.state_dict(),
                "average": self.average,
                "bias": dict(_biases(self.model)),
                "progress": self.progress,
                "screens": self.screens,
                "seconds": self.seconds,
            },
            part,
        )
        part.replace(path)

    def load(self, path: Path, device: torch.device) -> None:
        """Continue from a saved state."""
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        self.optimiser.load_state_dict(state["optimiser"])
        for name, value in state["average"].items():
            self.average[name].copy_(value)
        for name, bias in _biases(self.model):
            bias.data.copy_(state["bias"][name])
        self.progress, self.screens, self.seconds = state["progress"], state["screens"], state["seconds"]

    def adopt(self, folder: Path, progress: float) -> None:
        """Start from an exported checkpoint; heads and momentum, which it does not hold, start afresh."""
        source = dict(load_model(folder, "cpu", "float32").named_parameters())
        for name, master in self.optimiser.master.items():
            if name in source:
                master.copy_(source[name])
                self.average[name].copy_(source[name])
        for name, bias in _biases(self.model):
            bias.data.copy_(source[name])
        self.optimiser.load_state_dict({"steps": 0, "master": {}, "first": {}, "second": {}})
        self.progress = progress


def _biases(model: KimiVL) -> Iterator[tuple[str, nn.Parameter]]:
    return (
        (name, parameter) for name, parameter in model.named_parameters() if name.endswith("e_score_correction_bias")
    )


def build(device: torch.device, seed: int, ranks: int) -> Trainer:
    """Create the network, its heads and its optimiser with fresh weights."""
    torch.manual_seed(seed)
    model = KimiVL(parse_config(nano_config(ranks)))
    init_weights(model, seed)
    heads = Heads(model.config.vision.hidden_size, model.config.text.hidden_size)
    model.to(device, torch.bfloat16)
    heads.to(device, torch.bfloat16)
    for _, bias in _biases(model):
        bias.data = bias.data.float()
    named = [*model.named_parameters(), *((f"heads.{name}", p) for name, p in heads.named_parameters())]
    optimiser = Muon(named)
    return Trainer(model, heads, optimiser, {name: m.clone() for name, m in optimiser.master.items()})


def rate(progress: float, steps: int) -> float:
    """Return the learning rate at a share of the recipe and a number of steps."""
    warm = min(1.0, (steps + 1) / WARMUP_STEPS)
    fall = 1.0 if progress < FALL_FROM else max(0.0, (1.0 - progress) / (1.0 - FALL_FROM))
    return PEAK_RATE * warm * max(fall, 0.01)


class LoadBalance:
    """Move each router's selection bias towards equal use of its experts, without a loss."""

    def __init__(self, model: KimiVL) -> None:
        self._counts: list[tuple[Router, Tensor]] = []
        for module in model.modules():
            if isinstance(module, Router):
                module.register_forward_hook(self._count)

    def _count(self, router: nn.Module, _inputs: object, output: tuple[Tensor, Tensor]) -> None:
        assert isinstance(router, Router)  # noqa: S101 - narrows the type of the hook's module
        experts = torch.arange(router.weight.shape[0], device=output[0].device)
        self._counts.append((router, (output[0].flatten()[:, None] == experts).sum(0)))

    def step(self) -> None:
        """Apply the counts since the last step."""
        for router, count in self._counts:
            load = count.float()
            router.e_score_correction_bias.data.add_((load.mean() - load).sign(), alpha=BIAS_RATE)
        self._counts.clear()


def train(trainer: Trainer, plan: Plan, args: argparse.Namespace, codec: Codec, device: torch.device) -> None:
    """Run one stage; print a line of figures every 50 steps."""
    coordinate_ids = torch.tensor(codec.coordinate_ids, device=device)
    balance = LoadBalance(trainer.model)
    first_progress, started, since, waited, seen = trainer.progress, time.monotonic(), time.monotonic(), 0.0, 0
    batches = iter(loader(plan, args.workers))
    ready = _ahead(batches, device)
    step = 0
    while True:
        elapsed = time.monotonic() - started
        if elapsed > args.minutes * 60 or (args.steps and step >= args.steps):
            break
        waiting = time.monotonic()
        batch = next(ready)
        waited += time.monotonic() - waiting
        trainer.progress = first_progress + (args.until - first_progress) * elapsed / (args.minutes * 60)
        losses = step_losses(trainer.model, trainer.heads, batch, coordinate_ids, POINTING_LAYER)
        losses.total.backward()
        trainer.optimiser.step(rate(trainer.progress, trainer.optimiser.steps))
        balance.step()
        decay = min(EMA_DECAY, (1 + trainer.optimiser.steps) / (10 + trainer.optimiser.steps))
        averages = list(trainer.average.values())
        foreach_lerp(averages, [trainer.optimiser.master[name] for name in trainer.average], 1 - decay)
        trainer.screens += batch.pixels.shape[0]
        seen += batch.pixels.shape[0]
        step += 1
        if step % args.report == 0:
            report(trainer, losses, seen / (time.monotonic() - since), waited / (time.monotonic() - since))
            since, waited, seen = time.monotonic(), 0.0, 0
    trainer.seconds += time.monotonic() - started
    trainer.progress = args.until


def _ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """Keep one batch on its way to the device while another computes."""
    coming = next(batches).to(device)
    for batch in batches:
        current, coming = coming, batch.to(device)
        yield current


def report(trainer: Trainer, losses: Losses, rate_per_s: float, waiting: float) -> None:
    """Print one JSON line of figures."""
    figures = {name: round(float(getattr(losses, name).detach()), 4) for name in FIGURES}
    line = {
        "step": trainer.optimiser.steps,
        "screens": trainer.screens,
        "progress": round(trainer.progress, 3),
        "screens_per_s": round(rate_per_s),
        "waiting": round(waiting, 2),
        **figures,
    }
    if not math.isfinite(figures["answer"]):
        raise SystemExit(f"the loss is not finite any more: {line}")
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@torch.no_grad()
def validate(trainer: Trainer, plan: Plan, batches: int, codec: Codec, device: torch.device) -> None:
    """Print how the averaged weights do on screens of the held-out split, x given for y."""
    coordinate_ids = torch.tensor(codec.coordinate_ids, device=device)
    for name, parameter in trainer.optimiser.parameters.items():
        parameter.copy_(trainer.average[name])
    sums: dict[str, float] = {}
    stream = iter(loader(plan, min(8, batches)))
    for _ in range(batches):
        losses = step_losses(trainer.model, trainer.heads, next(stream).to(device), coordinate_ids, POINTING_LAYER)
        for name in FIGURES:
            sums[name] = sums.get(name, 0.0) + float(getattr(losses, name)) / batches
    sys.stdout.write(json.dumps({"validation": {name: round(value, 4) for name, value in sums.items()}}) + "\n")


def compile_elementwise() -> None:
    """Fuse the element-wise parts of the network: rotation and norms, otherwise a fifth of a step."""
    fused: Any = torch.compile(rotary.rotate_pairs, dynamic=True)
    vision.rotate_pairs = attention.rotate_pairs = fused
    RMSNorm.forward = torch.compile(RMSNorm.forward, dynamic=True)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.train", description=__doc__)
    parser.add_argument("--bank", type=Path, required=True, help="fonts and icons, from model.nano.bank")
    parser.add_argument("--state", type=Path, required=True, help="folder of the saved state")
    parser.add_argument("--corpus", type=Path, action="append", default=[], help="folder of rendered real programs")
    parser.add_argument("--real-share", type=float, default=0.3, help="share of screens cut from the corpora")
    parser.add_argument("--large-share", type=float, default=0.0, help="share of patches in large pictures")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--until", type=float, default=1.0, help="where the schedule stands at the end, 0 to 1")
    parser.add_argument("--resume", action="store_true", help="refuse to begin afresh when the state is missing")
    parser.add_argument("--weights", type=Path, help="checkpoint folder to start from when there is no state")
    parser.add_argument("--start", type=float, default=0.0, help="where the schedule stands with --weights")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps (for a trial)")
    parser.add_argument("--patches", type=int, default=163840, help="patches a batch")
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--validate", type=int, default=0, help="batches of held-out screens to score at the end")
    parser.add_argument("--report", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="fuse element-wise operations (takes a minute)")
    return parser.parse_args()


def main() -> None:
    """Run one stage from the command line."""
    args = parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    args.state.mkdir(parents=True, exist_ok=True)
    ranks = nano_ranks()
    write_tokenizer(args.state, ranks)
    codec = Codec(Tokenizer.load(args.state))
    if args.compile:
        compile_elementwise()
    trainer = build(device, args.seed, len(ranks))
    state = args.state / "state.pt"
    if state.exists():
        trainer.load(state, device)
    elif args.weights:
        trainer.adopt(args.weights, args.start)
    elif args.resume:
        raise SystemExit(f"there is no state in {args.state}: the stage before this one has not run here")
    small = [(w, h, weight * (1 - args.large_share)) for w, h, weight in SMALL]
    total = sum(weight for *_, weight in SMALL) / sum(weight for *_, weight in LARGE)
    large = [(w, h, weight * total * args.large_share) for w, h, weight in LARGE]
    plan = Plan(
        bank=args.bank,
        tokenizer=args.state,
        sizes_px=tuple(size for size in (*small, *large) if size[2] > 0),
        patches=args.patches,
        questions=args.questions,
        seed=args.seed * 1_000_003 + trainer.screens,
        corpora=tuple(args.corpus),
        real_share=args.real_share if args.corpus else 0.0,
    )
    train(trainer, plan, args, codec, device)
    trainer.save(state)
    if args.validate:
        held_out = replace(plan, split="test", corpora=(), real_share=0.0, seed=plan.seed + 1)
        validate(trainer, held_out, args.validate, codec, device)


if __name__ == "__main__":
    main()
