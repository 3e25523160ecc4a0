"""The training step of the built-in model: one picture, many questions, three losses.

The answer loss alone does not learn to read (stuck at 3% after 184k screens in the prototype), so
two auxiliary heads look at what the answer is made of: which characters a patch shows, and which
image tokens a question means. Both heads are dropped at export.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.architecture.attention import LatentAttention, rotation_table
from model.architecture.kimi_vl import KimiVL
from model.architecture.vision import Grid, merge_patches
from model.nano.block_attention import attend_questions

CHARACTERS = "".join(chr(code) for code in range(33, 127))
"""What the character head tells apart: printable ASCII; everything else shares one more class."""

COORDINATES = 1000
IGNORE = -100


@dataclass(frozen=True, slots=True)
class Batch:
    """Screens of one size with their questions.

    ``pixels`` uint8 ``(B, H, W, 3)``, padded to multiples of 28. ``prefix_ids`` ``(P,)``.
    ``ids`` ``(B, Q, T)`` question and answer, padded; ``targets`` ``(B, Q, T)`` the next token where
    it is a word of the answer, else `IGNORE`, on the coordinates too: ``points`` ``(B, Q, 2)`` has
    the positions in T that predict x and y, -1 for absent targets. ``boxes`` ``(B, Q, 4)`` relative
    to the unpadded picture, 0 for absent. ``box_px`` ``(B, Q, 4)`` in padded pixels. ``answer_at``
    ``(B, Q)`` the position that predicts the answer's first token. ``glyphs`` ``(n, 3)`` int32 rows
    of screen, patch, character.
    """

    pixels: Tensor
    prefix_ids: Tensor
    ids: Tensor
    targets: Tensor
    points: Tensor
    boxes: Tensor
    box_px: Tensor
    answer_at: Tensor
    glyphs: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Move everything to the device without waiting."""
        return Batch(*(getattr(self, name).to(device, non_blocking=True) for name in self.__slots__))


class Heads(nn.Module):
    """The auxiliary heads: characters of a patch, and the image tokens that a question means."""

    def __init__(self, vision_hidden: int, text_hidden: int, pointing_dim: int = 128) -> None:
        super().__init__()
        self.characters = nn.Linear(vision_hidden, len(CHARACTERS) + 1)
        self.asked = nn.Linear(text_hidden, pointing_dim)
        self.shown = nn.Linear(text_hidden, pointing_dim)
        self.nowhere = nn.Parameter(torch.zeros(pointing_dim))
        nn.init.constant_(self.characters.bias, -3.0)


@dataclass(frozen=True, slots=True)
class Losses:
    """The losses of a step and how many answers were right, with the coordinates' x given for y."""

    answer: Tensor
    characters: Tensor
    pointing: Tensor
    hit: Tensor
    pointed: Tensor
    refused: Tensor
    wrongly_refused: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum to minimise."""
        return self.answer + 0.2 * self.characters + self.pointing


def patchify(pixels: Tensor, patch: int, dtype: torch.dtype) -> Tensor:
    """Cut uint8 ``(B, H, W, 3)`` into normalised patches ``(B * h * w, 3, p, p)``, as the engine's images are."""
    b, height, width, _ = pixels.shape
    x = pixels.to(dtype).div_(127.5).sub_(1.0).view(b, height // patch, patch, width // patch, patch, 3)
    return x.permute(0, 1, 3, 5, 2, 4).reshape(-1, 3, patch, patch)


def attend_blocks(attention: LatentAttention, q: Tensor, latents: Tensor, prefix: int, questions: int) -> Tensor:
    """Attend ``(B, S, …)``: the prefix causally, each of the questions behind it to the prefix and itself."""
    k, v = attention.expand(latents)
    # Values as wide as the keys: the flash kernels want one head size.
    v = F.pad(v, (0, k.shape[-1] - v.shape[-1]))
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    (q_prefix, q), (k_prefix, k), (v_prefix, v) = (t.split((prefix, t.shape[2] - prefix), dim=2) for t in (q, k, v))
    first = F.scaled_dot_product_attention(q_prefix, k_prefix, v_prefix, is_causal=True, scale=attention.scale)
    rest = attend_questions(q, k_prefix, v_prefix, k, v, questions, attention.scale)
    out = torch.cat((first, rest), dim=2)[..., : attention.v_dim]
    return attention.o_proj(out.transpose(1, 2).flatten(2))


def step_losses(model: KimiVL, heads: Heads, batch: Batch, coordinate_ids: Tensor, middle: int) -> Losses:
    """Run the network over a batch and return its losses. ``middle``: the layer after which pointing looks."""
    vision, language = model.vision_tower, model.language_model
    patch = model.config.vision.patch_size
    b, height, width, _ = batch.pixels.shape
    grids = [Grid(height // patch, width // patch)] * b
    patches = patchify(batch.pixels, patch, model.dtype)
    seen = vision.encoder(vision.patch_embed(patches, grids), grids)
    characters = character_loss(heads.characters(seen), batch.glyphs, grids[0].patches)
    features = model.multi_modal_projector(merge_patches(seen, grids))

    count, questions, length = features.shape[0] // b, *batch.ids.shape[1:]
    prefix = batch.prefix_ids.shape[0]
    first_image = prefix - 1 - count
    # The prefix is the same for all, and the placeholders' own embeddings are never needed.
    shared = language.embed(batch.prefix_ids).expand(b, -1, -1)
    x = torch.cat(
        (
            shared[:, :first_image],
            features.unflatten(0, (b, count)),
            shared[:, first_image + count :],
            language.embed(batch.ids).flatten(1, 2),
        ),
        dim=1,
    )
    positions = torch.cat(
        (torch.arange(prefix, device=x.device), prefix + torch.arange(length, device=x.device).repeat(questions))
    )

    def attend(_layer: int, attention: LatentAttention, q: Tensor, latents: Tensor) -> Tensor:
        return attend_blocks(attention, q, latents, prefix, questions)

    rotation = rotation_table(positions, language.model.rope_dim, language.model.rope_theta)
    pointing, pointed = x.new_zeros(()), x.new_zeros(())
    for layer in language.layers:
        x = layer(x, rotation, attend)
        if layer.layer == middle:
            asked = x[:, prefix:].unflatten(1, (questions, length))
            asked = asked.gather(2, batch.answer_at[..., None, None].expand(-1, -1, 1, x.shape[-1])).squeeze(2)
            pointing, pointed = pointing_loss(
                heads, asked, x[:, first_image : first_image + count], batch.box_px, grids[0], patch
            )
    hidden = language.model.norm(x[:, prefix:])
    return answer_losses(hidden.flatten(0, 1), language.lm_head, batch, coordinate_ids, characters, pointing, pointed)


def character_loss(logits: Tensor, glyphs: Tensor, patches: int) -> Tensor:
    """Score which characters each patch shows: binary cross-entropy summed over classes.

    ``logits`` ``(B * L, classes)``. Patches without characters weigh a tenth.
    """
    truth = torch.zeros_like(logits)
    flat = glyphs.long()
    truth[flat[:, 0] * patches + flat[:, 1], flat[:, 2]] = 1.0
    weight = 0.1 + 0.9 * truth.amax(-1)
    loss = F.binary_cross_entropy_with_logits(logits.float(), truth.float(), reduction="none").sum(-1)
    return (loss * weight).sum() / weight.sum()


def pointing_loss(
    heads: Heads, asked: Tensor, shown: Tensor, box_px: Tensor, grid: Grid, patch: int
) -> tuple[Tensor, Tensor]:
    """Score how much of a question's attention over ``(B, tokens, hidden)`` lies in its box.

    ``asked`` ``(B, Q, hidden)``. An absent target belongs to the extra place "nowhere". Returns the
    loss and the share of questions whose strongest place is right.
    """
    keys = heads.shown(shown)
    keys = torch.cat((keys, heads.nowhere.expand(keys.shape[0], 1, -1).to(keys.dtype)), dim=1)
    logits = torch.einsum("bqd,bkd->bqk", heads.asked(asked), keys).float() * keys.shape[-1] ** -0.5
    cell = 2 * patch
    row = torch.arange(grid.height // 2, device=keys.device) * cell
    column = torch.arange(grid.width // 2, device=keys.device) * cell
    x0, y0, x1, y1 = (box_px[..., i, None] for i in range(4))
    in_row = (row + cell > y0) & (row < y1)
    in_column = (column + cell > x0) & (column < x1)
    inside = (in_row[..., :, None] & in_column[..., None, :]).flatten(2)
    absent = x1 <= x0
    inside = torch.cat((inside & ~absent, absent), dim=-1)
    log_p = logits.log_softmax(-1)
    loss = -log_p.masked_fill(~inside, float("-inf")).logsumexp(-1)
    right = inside.gather(-1, logits.argmax(-1, keepdim=True)).float().mean()
    return loss.mean(), right


def answer_losses(
    hidden: Tensor,
    head: nn.Module,
    batch: Batch,
    coordinate_ids: Tensor,
    characters: Tensor,
    pointing: Tensor,
    pointed: Tensor,
) -> Losses:
    """Score the answers: plain cross-entropy on their words, a soft target around the middle on coordinates.

    ``hidden`` ``(B * Q * T, hidden)``.
    """
    targets = batch.targets.flatten()
    places = (targets != IGNORE).nonzero().squeeze(-1)
    logits = head(hidden[places]).float()
    wanted = targets[places]
    plain = F.cross_entropy(logits, wanted, reduction="none")
    length = batch.ids.shape[-1]
    present = batch.points[..., 0] >= 0
    starts = torch.arange(present.numel(), device=hidden.device).view_as(present) * length
    rows = (starts[..., None] + batch.points)[present]
    boxes = batch.boxes[present].float()
    low, high = boxes[:, :2] * COORDINATES, boxes[:, 2:] * COORDINATES
    # Normalised over the whole vocabulary: among the coordinates alone nothing keeps other words down.
    words = head(hidden[rows.flatten()]).float().log_softmax(-1)
    scores = words[:, coordinate_ids].unflatten(0, (-1, 2))
    middle, spread = (low + high) / 2, ((high - low) * 0.15).clamp(1.5, 12.0)
    bins = torch.arange(COORDINATES, device=hidden.device)
    soft = torch.softmax(-0.5 * ((bins - middle[..., None]) / spread[..., None]).square(), dim=-1)
    coordinate = -(soft * scores).sum(-1)
    value = torch.full((words.shape[-1],), -1, device=hidden.device)
    value[coordinate_ids] = bins
    best = value[words.argmax(-1)].unflatten(0, (-1, 2))
    hit = ((best >= low) & (best < high)).all(-1)
    # Refusing is decided by the answer's first token.
    first = (starts + batch.answer_at).flatten()
    spoken = head(hidden[first]).float().argmax(-1).view_as(present)
    said = spoken == targets[first].view_as(present)
    shared = hit.sum() / present.sum().clamp_min(1)
    return Losses(
        answer=0.5 * plain.mean() + coordinate.mean(),
        characters=characters,
        pointing=pointing,
        hit=shared,
        pointed=pointed,
        refused=(said & ~present).sum() / (~present).sum().clamp_min(1),
        wrongly_refused=(~said & present).sum() / present.sum().clamp_min(1),
    )
