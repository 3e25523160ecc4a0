"""ScreenSpot and ScreenSpot-V2: a list per platform, boxes [x, y, width, height] in pixels."""

from pathlib import Path

from agent.datasets.item import Dataset, Item
from agent.datasets.rows import (
    Json,
    box_of,
    choice_of,
    first_folder,
    image_of,
    optional_text,
    read_rows,
    require_files,
    text_of,
)

_PLATFORMS = ("desktop", "mobile", "web")


def read_screenspot(folder: Path, images: Path | None = None) -> Dataset:
    """Read ``screenspot_{desktop,mobile,web}.json``, in the folder or in its ``metadata``."""
    return _read("screenspot", folder, images, "", "screenspot_imgs")


def read_screenspot_v2(folder: Path, images: Path | None = None) -> Dataset:
    """Read ``screenspot_{desktop,mobile,web}_v2.json``, in the folder or in its ``metadata``."""
    return _read("screenspot-v2", folder, images, "_v2", "screenspotv2_image")


def _read(name: str, folder: Path, images: Path | None, suffix: str, images_name: str) -> Dataset:
    places = {f"screenspot_{platform}{suffix}.json": platform for platform in _PLATFORMS}
    found = [place / file for file in places for place in (folder, folder / "metadata") if (place / file).is_file()]
    pictures = images or first_folder(folder / images_name, folder / "images", folder.parent / images_name)

    def to_item(row: Json, file: Path, index: int) -> Item:
        image, image_name = image_of(row, "img_filename", pictures)
        return Item(
            id=f"{file.stem}:{index}",  # the set has no ids of its own
            image=image,
            source=file.stem,
            image_name=image_name,
            instruction=text_of(row, "instruction"),
            target=box_of(row, "bbox", extent=True),
            ui_type=choice_of(row, "data_type", ("text", "icon")),
            platform=places[file.name],
            group=optional_text(row, "data_source"),
        )

    items, problems = read_rows(require_files(folder, found, ", ".join(places)), to_item)
    return Dataset(name, items, problems)
