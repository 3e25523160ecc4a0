"""Small grounding sets with the published file and field names, made up on the spot."""

import json
from pathlib import Path

from PIL import Image

SIZE = (200, 100)


def write_json(path: Path, rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return path


def write_picture(path: Path, size: tuple[int, int] = SIZE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (250, 250, 250)).save(path)
    return path


def pro_row(name: str, **changes: object) -> dict[str, object]:
    return {
        "img_filename": "word_windows/shot.png",
        "bbox": [20, 10, 60, 30],
        "instruction": f"press {name}",
        "instruction_cn": f"按 {name}",
        "id": name,
        "application": "word",
        "platform": "windows",
        "img_size": list(SIZE),
        "ui_type": "text",
        "group": "Office",
        **changes,
    }


def spot_row(instruction: str, **changes: object) -> dict[str, object]:
    return {
        "img_filename": "pc_1.png",
        "bbox": [20, 10, 40, 20],
        "instruction": instruction,
        "data_type": "text",
        "data_source": "windows",
        **changes,
    }


def osworld_row(name: str, **changes: object) -> dict[str, object]:
    return {
        "id": name,
        "image_path": "shot.png",
        "image_size": list(SIZE),
        "instruction": f"find {name}",
        "box_type": "bbox",
        "box_coordinates": [20, 10, 40, 20],
        "GUI_types": ["Button"],
        **changes,
    }


def write_pro(root: Path, *rows: object) -> Path:
    write_json(root / "annotations" / "word_windows.json", list(rows))
    write_picture(root / "images" / "word_windows" / "shot.png")
    return root


def write_spot(root: Path, *rows: object, platform: str = "desktop", suffix: str = "_v2") -> Path:
    write_json(root / f"screenspot_{platform}{suffix}.json", list(rows))
    write_picture(root / ("screenspotv2_image" if suffix else "screenspot_imgs") / "pc_1.png")
    return root


def write_osworld(root: Path, *rows: object, name: str = "OSWorld-G.json") -> Path:
    write_json(root / name, list(rows))
    write_picture(root / "images" / "shot.png")
    return root
