"""The Muon optimiser for matrices, with AdamW for everything else, over float32 master weights.

Muon orthogonalises the momentum of each matrix (Jordan et al. 2024); scaling its update to AdamW's
size is Moonlight's rule (arXiv 2502.16982, section 2.2), so one learning rate serves both.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Fused in-place operations over lists of tensors have no public name in torch.
foreach_lerp = torch._foreach_lerp_  # pyright: ignore[reportPrivateImportUsage]
foreach_mul = torch._foreach_mul_  # pyright: ignore[reportPrivateImportUsage]
foreach_add = torch._foreach_add_  # pyright: ignore[reportPrivateImportUsage]
foreach_addcmul = torch._foreach_addcmul_  # pyright: ignore[reportPrivateImportUsage]
foreach_addcdiv = torch._foreach_addcdiv_  # pyright: ignore[reportPrivateImportUsage]
foreach_sqrt = torch._foreach_sqrt  # pyright: ignore[reportPrivateImportUsage]
foreach_copy = torch._foreach_copy_  # pyright: ignore[reportPrivateImportUsage]

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_UPDATE_RMS = 0.2
_ADAM_SHARE = 0.5
"""Embeddings, norms and heads learn at half the matrices' rate."""


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push the singular values of ``(n, rows, columns)`` towards 1 by a quintic Newton–Schulz iteration."""
    a, b, c = _NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon:
    """Update a model in place from its gradients; the model may be bfloat16, the state is float32.

    Matrices inside blocks go through Muon, grouped by shape so that each group is one batched
    product; embeddings, the output head, norms and biases go through AdamW.
    """

    def __init__(
        self, named: Iterable[tuple[str, nn.Parameter]], *, weight_decay: float = 0.05, momentum: float = 0.95
    ) -> None:
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.steps = 0
        self.parameters = {name: p for name, p in named if p.requires_grad}
        self.master = {name: p.detach().float().clone() for name, p in self.parameters.items()}
        self.first = {name: torch.zeros_like(m) for name, m in self.master.items()}
        self._groups: dict[tuple[int, ...], list[str]] = defaultdict(list)
        self._adam: list[str] = []
        for name, p in self.parameters.items():
            if is_matrix(name, p):
                self._groups[tuple(p.shape)].append(name)
            else:
                self._adam.append(name)
        self.second = {name: torch.zeros_like(self.master[name]) for name in self._adam}

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Apply one update and clear the gradients; parameters without a gradient stay as they are."""
        self.steps += 1
        for shape, names in self._groups.items():
            self._step_matrices(shape, names, learning_rate)
        self._step_adam(learning_rate * _ADAM_SHARE)
        foreach_copy(list(self.parameters.values()), [self.master[name] for name in self.parameters])
        for p in self.parameters.values():
            p.grad = None

    def _step_matrices(self, shape: tuple[int, ...], names: list[str], learning_rate: float) -> None:
        grads = [_gradient(self.parameters[name]) for name in names]
        momenta = [self.first[name] for name in names]
        foreach_lerp(momenta, grads, 1 - self.momentum)
        nesterov = [g.lerp(m, self.momentum) for g, m in zip(grads, momenta, strict=True)]
        stacked = torch.stack(nesterov).flatten(0, -3) if len(shape) > 2 else torch.stack(nesterov)
        updates = orthogonalise(stacked.bfloat16()).float() * (_UPDATE_RMS * max(shape[-2:]) ** 0.5)
        masters = [self.master[name] for name in names]
        foreach_mul(masters, 1 - learning_rate * self.weight_decay)
        foreach_add(masters, list(updates.view(len(names), *shape).unbind(0)), alpha=-learning_rate)

    def _step_adam(self, learning_rate: float) -> None:
        beta1, beta2 = 0.9, 0.95
        correction1, correction2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        grads = [_gradient(self.parameters[name]) for name in self._adam]
        first, second, masters = (
            [values[name] for name in self._adam] for values in (self.first, self.second, self.master)
        )
        foreach_lerp(first, grads, 1 - beta1)
        foreach_mul(second, beta2)
        foreach_addcmul(second, grads, grads, 1 - beta2)
        sizes = foreach_sqrt(second)
        foreach_mul(sizes, correction2**-0.5)
        foreach_add(sizes, 1e-8)
        foreach_mul([m for m in masters if m.dim() > 1], 1 - learning_rate * self.weight_decay)
        foreach_addcdiv(masters, first, sizes, -learning_rate / correction1)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that continuing needs."""
        return {"steps": self.steps, "master": self.master, "first": self.first, "second": self.second}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from `state_dict`; parameters that are new since keep their initial state."""
        self.steps = state["steps"]
        for ours, theirs in ((self.master, "master"), (self.first, "first"), (self.second, "second")):
            for name, value in state[theirs].items():
                if name in ours:
                    ours[name].copy_(value)
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(self.master[name])


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Say whether a parameter is a linear map inside the network, Muon's kind."""
    outer = ("embed_tokens", "lm_head", "pos_emb", "patch_embed", "heads.")
    return parameter.dim() in (2, 3) and not any(part in name for part in outer)


def _gradient(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter, dtype=torch.float32) if parameter.grad is None else parameter.grad.float()
