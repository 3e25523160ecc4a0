"""ScreenSpot-Pro: a list per application, boxes [x1, y1, x2, y2] in pixels."""

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
    size_of,
    text_of,
)


def read_screenspot_pro(folder: Path, images: Path | None = None) -> Dataset:
    """Read every ``<application>_<platform>.json`` of ``annotations`` (the folder itself, or inside it)."""
    inside = folder / "annotations"
    annotations = inside if inside.is_dir() else folder
    files = sorted(annotations.glob("*.json"))
    pictures = images or first_folder(annotations.parent / "images", folder / "images")

    def to_item(row: Json, file: Path, _index: int) -> Item:
        image, image_name = image_of(row, "img_filename", pictures)
        size_px = size_of(row, "img_size")
        return Item(
            id=text_of(row, "id"),
            image=image,
            source=file.stem,
            image_name=image_name,
            instruction=text_of(row, "instruction"),
            target=box_of(row, "bbox", extent=False, size_px=size_px),
            size_px=size_px,
            ui_type=choice_of(row, "ui_type", ("text", "icon")),
            platform=optional_text(row, "platform"),
            application=optional_text(row, "application"),
            group=optional_text(row, "group"),
            instruction_cn=optional_text(row, "instruction_cn"),
        )

    items, problems = read_rows(require_files(annotations, files, "<application>_<platform>.json"), to_item)
    return Dataset("screenspot-pro", items, problems)
