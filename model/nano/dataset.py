"""Batches for training, made by worker processes while the GPU computes.

A batch has one picture size; its screens come from the generator and, for a share, from crops of
rendered real programs (Chromium pages, Qt windows, applications) in a corpus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from model.nano.bank import Bank
from model.nano.codec import Codec
from model.nano.crops import CropSource
from model.nano.elements import Query, Screen
from model.nano.losses import CHARACTERS, IGNORE, Batch
from model.nano.queries import make_queries
from model.nano.screens import render_screen
from model.nano.split import Split
from model.tokenizer import Tokenizer

PATCH = 14
CELL = 2 * PATCH
QUESTION_TOKENS = 64
_CHARACTER_CLASS = {ord(character): index for index, character in enumerate(CHARACTERS)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to draw. ``sizes_px`` are (width, height) with their weights; a batch holds about ``patches``."""

    bank: Path
    tokenizer: Path
    sizes_px: tuple[tuple[int, int, float], ...]
    patches: int
    questions: int
    seed: int
    corpora: tuple[Path, ...] = ()
    real_share: float = 0.0
    absent_share: float = 0.18
    split: Split = "train"


def padded(size_px: tuple[int, int]) -> tuple[int, int]:
    """Round a picture size up to whole cells of 28 px, as the family pads."""
    return -(-size_px[0] // CELL) * CELL, -(-size_px[1] // CELL) * CELL


class Batches(IterableDataset[Batch]):
    """An endless stream of batches; each worker process draws its own."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches for ever, differently in every worker."""
        torch.set_num_threads(1)
        worker = get_worker_info()
        rng = np.random.default_rng((self.plan.seed, worker.id if worker else 0))
        codec = Codec(Tokenizer.load(self.plan.tokenizer))
        bank = Bank(self.plan.bank)
        source = CropSource(self.plan.corpora) if self.plan.corpora else None
        weights = np.array([weight for _, _, weight in self.plan.sizes_px])
        while True:
            width, height, _ = self.plan.sizes_px[rng.choice(len(weights), p=weights / weights.sum())]
            yield self._batch(rng, codec, bank, source, (width, height))

    def _batch(
        self, rng: np.random.Generator, codec: Codec, bank: Bank, source: CropSource | None, size_px: tuple[int, int]
    ) -> Batch:
        padded_px = padded(size_px)
        count = max(1, round(self.plan.patches / (padded_px[0] * padded_px[1] / PATCH**2)))
        screens: list[Screen] = []
        questions: list[list[Query]] = []
        while len(screens) < count:
            if source is not None and rng.random() < self.plan.real_share:
                screen = source.crop(rng, size_px)
            else:
                screen = render_screen(int(rng.integers(1 << 62)), size_px, split=self.plan.split, bank=bank)
            asked = make_queries(screen, rng, self.plan.questions, self.plan.absent_share)
            asked = [query for query in asked if len(query.instruction.encode()) <= QUESTION_TOKENS - 22]
            if asked:
                screens.append(screen)
                questions.append(asked)
        return collate(screens, questions, codec, self.plan.questions)


def collate(screens: Sequence[Screen], questions: Sequence[Sequence[Query]], codec: Codec, n_questions: int) -> Batch:
    """Put screens of one size and their questions into tensors; short question lists are repeated."""
    height, width = screens[0].pixels.shape[:2]
    padded_width, padded_height = padded((width, height))
    columns = padded_width // PATCH
    b = len(screens)
    pixels = np.zeros((b, padded_height, padded_width, 3), np.uint8)
    shape = (b, n_questions)
    ids = np.full((*shape, QUESTION_TOKENS), codec.end, np.int64)
    targets = np.full((*shape, QUESTION_TOKENS), IGNORE, np.int64)
    points = np.full((*shape, 2), -1, np.int64)
    boxes = np.zeros((*shape, 4), np.float32)
    answer_at = np.zeros(shape, np.int64)
    glyphs: list[np.ndarray] = []
    for i, screen in enumerate(screens):
        pixels[i, :height, :width] = screen.pixels
        glyphs.append(glyph_patches(screen.glyphs, i, width, height, columns))
        for j in range(n_questions):
            query = questions[i][j % len(questions[i])]
            asked = codec.question(query.instruction)
            answer = codec.answer(query.box_px, width, height)
            start, end = len(asked) - 1, len(asked) - 1 + len(answer.ids)
            ids[i, j, :end] = (asked + list(answer.ids))[:end]
            targets[i, j, start:end] = answer.ids
            answer_at[i, j] = start
            if answer.coordinates is not None and query.box_px is not None:
                points[i, j] = [start + place for place in answer.coordinates]
                targets[i, j, points[i, j]] = IGNORE
                boxes[i, j] = query.box_px
    relative = boxes / np.array([width, height, width, height], np.float32)
    image_tokens = (padded_width // CELL) * (padded_height // CELL)
    return Batch(
        pixels=torch.from_numpy(pixels),
        prefix_ids=torch.tensor(codec.prefix(image_tokens)),
        ids=torch.from_numpy(ids),
        targets=torch.from_numpy(targets),
        points=torch.from_numpy(points),
        boxes=torch.from_numpy(relative),
        box_px=torch.from_numpy(boxes),
        answer_at=torch.from_numpy(answer_at),
        glyphs=torch.from_numpy(np.concatenate(glyphs)),
    )


def glyph_patches(glyphs: np.ndarray, screen: int, width: int, height: int, columns: int) -> np.ndarray:
    """Turn glyph centres ``(n, 3)`` into int32 rows of screen, patch and character class."""
    if not len(glyphs):
        return np.zeros((0, 3), np.int32)
    x, y = glyphs[:, 1], glyphs[:, 2]
    kept = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    codes = glyphs[kept, 0].astype(np.int64)
    other = len(CHARACTERS)
    classes = np.array([_CHARACTER_CLASS.get(int(code), other) for code in codes], np.int32)
    patches = (y[kept] // PATCH).astype(np.int32) * columns + (x[kept] // PATCH).astype(np.int32)
    return np.stack((np.full(len(classes), screen, np.int32), patches, classes), axis=1)


def loader(plan: Plan, workers: int) -> DataLoader[Batch]:
    """Start the worker processes; iterate the result for batches in pinned memory."""
    return DataLoader(
        Batches(plan),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        persistent_workers=workers > 0,
        multiprocessing_context="forkserver" if workers else None,
    )
