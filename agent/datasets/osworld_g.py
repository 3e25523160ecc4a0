"""OSWorld-G: boxes [x, y, width, height], flat polygons and refusals, in pixels."""

from pathlib import Path

from agent.datasets.item import Dataset, Item, Refusal, Target
from agent.datasets.rows import (
    BadRowError,
    Json,
    box_of,
    choice_of,
    first_folder,
    image_of,
    polygon_of,
    read_rows,
    require_files,
    size_of,
    text_of,
)


def read_osworld_g(folder: Path, images: Path | None = None) -> Dataset:
    """Read ``OSWorld-G.json``, in the folder or in its ``benchmark``."""
    return _read("osworld-g", folder, images, "OSWorld-G.json")


def read_osworld_g_refined(folder: Path, images: Path | None = None) -> Dataset:
    """Read ``OSWorld-G_refined.json``: the same targets with rewritten instructions."""
    return _read("osworld-g-refined", folder, images, "OSWorld-G_refined.json")


def _read(name: str, folder: Path, images: Path | None, file_name: str) -> Dataset:
    place = folder if (folder / file_name).is_file() else folder / "benchmark"
    found = [file for file in [place / file_name] if file.is_file()]
    pictures = images or first_folder(place / "images", folder / "images")

    def to_item(row: Json, file: Path, _index: int) -> Item:
        image, image_name = image_of(row, "image_path", pictures)
        size_px = size_of(row, "image_size")
        kinds = row.get("GUI_types") or []
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            raise BadRowError("GUI_types is not a list of words")
        return Item(
            id=text_of(row, "id"),
            image=image,
            source=file.stem,
            image_name=image_name,
            instruction=text_of(row, "instruction"),
            target=_target(row, size_px),
            size_px=size_px,
            gui_types=tuple(dict.fromkeys(str(kind) for kind in kinds)),
        )

    items, problems = read_rows(require_files(folder, found, file_name), to_item)
    return Dataset(name, items, problems, scores_refusals=True)


def _target(row: Json, size_px: tuple[int, int]) -> Target:
    kind = choice_of(row, "box_type", ("bbox", "polygon", "refusal"))
    if kind == "refusal":
        return Refusal()
    if kind == "polygon":
        return polygon_of(row, "box_coordinates", size_px)
    return box_of(row, "box_coordinates", extent=True, size_px=size_px)
