"""The models there are: the family, and folders that the person has added. Knows no Qt."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.models import FAMILY
from app.model_fit import ModelFit
from app.ui.models.command import run_command
from app.ui.models.hub import Hub

if TYPE_CHECKING:
    from app.ui.tasks import Cancel

BUILTIN = "builtin"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. ``name`` is what is loaded; ``fits`` one estimate a number format, empty until they are known.

    ``partial_bytes`` of an unfinished download are there. ``is_added``: a folder that the person named.
    """

    name: str
    title: str
    summary: str
    licence: str
    size_bytes: int
    folder: Path | None
    capabilities: tuple[str, ...] = ()
    fits: tuple[ModelFit, ...] = ()
    partial_bytes: int = 0
    is_added: bool = False
    problem: str = ""

    @property
    def is_from_hub(self) -> bool:
        """Whether it can be downloaded."""
        return self.name != BUILTIN and not self.is_added


def family(hub: Hub) -> list[ModelEntry]:
    """Return the family as far as it is known without torch."""
    found: list[ModelEntry] = []
    for name, summary, size_bytes, licence in FAMILY:
        folder = _builtin() if name == BUILTIN else hub.folder(name)
        title = "deskhand-nano" if name == BUILTIN else name
        partial = hub.partial_bytes(name) if name != BUILTIN else 0
        found.append(ModelEntry(name, title, summary, licence, int(size_bytes), folder, partial_bytes=partial))
    return found


def with_fits(entries: Sequence[ModelEntry], fits: Sequence[ModelFit]) -> list[ModelEntry]:
    """Add the estimates to the entries."""
    return [
        replace(entry, fits=mine, capabilities=mine[0].capabilities) if mine else entry
        for entry in entries
        for mine in [tuple(fit for fit in fits if fit.model == entry.name)]
    ]


def added_folder(folder: Path) -> ModelEntry:
    """Read a folder's headers; what is wrong with it becomes its ``problem``."""
    from model.checkpoint import inspect
    from model.errors import ModelError

    name = str(folder)
    blank = ModelEntry(name, folder.name, "", "", 0, folder, is_added=True)
    try:
        info = inspect(folder)
    except (ModelError, OSError) as error:
        return replace(blank, problem=str(error))
    licence = info.sidecar.licence or ""
    return replace(
        blank,
        title=info.name,
        licence=licence,
        size_bytes=info.weight_bytes,
        capabilities=tuple(sorted(info.capabilities)),
    )


def fit_of_folder(cancel: "Cancel", entry: ModelEntry) -> ModelEntry:
    """Estimate a folder as it is stored. Raises `ModelError`."""
    told = json.loads(run_command(cancel, "models", "info", entry.name, "--json", "--offline"))
    fit = ModelFit(
        model=entry.name,
        summary="",
        licence=entry.licence,
        size_bytes=told["stored_bytes"],
        folder=entry.name,
        capabilities=entry.capabilities,
        quantize=None,
        device=told["device"],
        context_tokens=told["planned_tokens"],
        weight_bytes=told["weight_bytes"],
        cache_bytes=told["cache_bytes"],
        work_bytes=told["work_bytes"],
        needed_bytes=told["needed_bytes"],
        available_bytes=told["available_bytes"],
        verdict=told["verdict"],
    )
    return replace(entry, fits=(fit,))


def _builtin() -> Path | None:
    from model.checkpoint import resolve
    from model.errors import CheckpointError

    try:
        return resolve(BUILTIN)
    except CheckpointError:
        return None
