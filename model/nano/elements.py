"""What a rendered screen is known to contain: the truth that training and evaluation start from."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the image; x1 and y1 are exclusive."""

ElementRole = Literal[
    "button",
    "icon_button",
    "link",
    "checkbox",
    "radio",
    "switch",
    "tab",
    "menu",
    "menu_item",
    "list_item",
    "tree_item",
    "cell",
    "text_field",
    "combo",
    "spin",
    "slider",
    "label",
    "heading",
    "image",
]


@dataclass(frozen=True, slots=True)
class Element:
    """One thing that a person could ask for.

    ``text`` is what is written on it, ``icon`` the common name of its picture (see
    `model.nano.icons`), ``label`` the caption beside a field or box, ``placeholder`` the grey text
    in an empty field. ``group`` names the container it is listed in, ``position`` its place there
    from 1 (0: not in a list). ``container`` is the title of its window or dialog.
    """

    role: ElementRole
    box_px: Box
    text: str = ""
    icon: str = ""
    label: str = ""
    placeholder: str = ""
    group: str = ""
    group_kind: Literal["", "list", "menu", "tabs", "toolbar", "table", "tree", "form"] = ""
    position: int = 0
    container: str = ""
    container_kind: Literal["", "window", "dialog"] = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Screen:
    """A picture, its elements, and where each visible character stands.

    ``pixels``: uint8 ``(height, width, 3)``. ``glyphs``: float32 ``(n, 3)`` rows of Unicode code
    point, centre x, centre y in pixels; only what can be seen, so that "not on the screen" is true.
    ``source`` names the generator, theme or application, for splits and tables.
    """

    pixels: np.ndarray
    elements: tuple[Element, ...]
    glyphs: np.ndarray
    source: str = ""
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Query:
    """An instruction and the box of its one right answer, or ``None`` when it is not there."""

    instruction: str
    box_px: Box | None
    kind: str = ""
    tags: tuple[str, ...] = field(default=())
