"""Attention of many questions over one picture, without a mask.

Each question sees the shared prefix and itself. Both halves are plain flash attention; they are
merged by their log-sum-exp, and the backward pass of each half is exact when it is given the
merged output and log-sum-exp (as in ring attention, arXiv 2310.01889). Against a dense mask this
does a third of the arithmetic on kernels that are several times as fast.
"""

from typing import Any, cast

import torch
from torch import Tensor

Halves = tuple[Tensor, Tensor, tuple[Any, ...]]


def _forward(q: Tensor, k: Tensor, v: Tensor, causal: bool, scale: float) -> Halves:
    """Return output, log-sum-exp ``(B, H, T)`` and what the backward pass of this device wants besides."""
    if q.is_cuda:
        out, lse, cum_q, cum_k, max_q, max_k, seed, offset, _ = torch.ops.aten._scaled_dot_product_flash_attention(
            q, k, v, 0.0, causal, False, scale=scale
        )
        return out, lse, (cum_q, cum_k, max_q, max_k, seed, offset)
    out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0.0, causal, scale=scale)
    return out, lse, ()


def _backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    lse: Tensor,
    extra: tuple[Any, ...],
    causal: bool,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    if q.is_cuda:
        cum_q, cum_k, max_q, max_k, seed, offset = extra
        return torch.ops.aten._scaled_dot_product_flash_attention_backward(
            grad, q, k, v, out, lse, cum_q, cum_k, max_q, max_k, 0.0, causal, seed, offset, scale=scale
        )
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
        grad, q, k, v, out, lse, 0.0, causal, scale=scale
    )


def _fold(x: Tensor, questions: int) -> Tensor:
    """Turn ``(B, H, Q * T, …)`` into ``(B * Q, H, T, …)``."""
    b, heads = x.shape[:2]
    return x.unflatten(2, (questions, -1)).transpose(1, 2).reshape(b * questions, heads, -1, *x.shape[3:])


def _unfold(x: Tensor, questions: int) -> Tensor:
    """Invert `_fold`."""
    return x.unflatten(0, (-1, questions)).transpose(1, 2).flatten(2, 3)


class _Questions(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, q: Tensor, k_prefix: Tensor, v_prefix: Tensor, k: Tensor, v: Tensor, questions: int, scale: float
    ) -> Tensor:
        out_p, lse_p, extra_p = _forward(q, k_prefix, v_prefix, False, scale)
        q_own, k_own, v_own = (_fold(t, questions) for t in (q, k, v))
        out_s, lse_s, extra_s = _forward(q_own, k_own, v_own, True, scale)
        lse_s = _unfold(lse_s, questions)
        lse = torch.logaddexp(lse_p, lse_s)
        out = out_p * (lse_p - lse).exp().unsqueeze(-1).to(out_p.dtype)
        out = out + _unfold(out_s, questions) * (lse_s - lse).exp().unsqueeze(-1).to(out.dtype)
        ctx.save_for_backward(q, k_prefix, v_prefix, q_own, k_own, v_own, out, lse)
        ctx.extras = (extra_p, extra_s, questions, scale)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, k_prefix, v_prefix, q_own, k_own, v_own, out, lse = ctx.saved_tensors
        extra_p, extra_s, questions, scale = ctx.extras
        grad = grads[0].contiguous()
        dq, dk_prefix, dv_prefix = _backward(grad, q, k_prefix, v_prefix, out, lse, extra_p, False, scale)
        out_own, lse_own = (_fold(t, questions).contiguous() for t in (out, lse))
        dq_own, dk, dv = _backward(
            _fold(grad, questions).contiguous(), q_own, k_own, v_own, out_own, lse_own, extra_s, True, scale
        )
        dq = dq + _unfold(dq_own, questions)
        return dq, dk_prefix, dv_prefix, _unfold(dk, questions), _unfold(dv, questions), None, None


def attend_questions(
    q: Tensor, k_prefix: Tensor, v_prefix: Tensor, k: Tensor, v: Tensor, questions: int, scale: float
) -> Tensor:
    """Attend ``(B, H, Q * T, d)`` over the prefix ``(B, H, P, d)`` in full and over each question causally."""
    # torch leaves the result of apply untyped.
    return cast(Tensor, _Questions.apply(q, k_prefix, v_prefix, k, v, questions, scale))
