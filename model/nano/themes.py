"""Random looks: palettes, shapes, fonts and metrics that one screen is drawn with."""

import colorsys
from dataclasses import dataclass
from random import Random

from model.nano.bank import Bank, IconStyle, TextStyle
from model.nano.split import Split, themes

Color = int
"""0xAARRGGBB."""


@dataclass(slots=True)
class Theme:
    """Everything a widget needs to know to draw itself.

    ``unit_px`` is how many rendered pixels a logical pixel takes; all other sizes are logical.
    """

    family: str
    dark: bool
    unit_px: float
    desktop: Color
    window: Color
    panel: Color
    field: Color
    border: Color
    text: Color
    muted: Color
    accent: Color
    on_accent: Color
    button: Color
    on_button: Color
    link: Color
    danger: Color
    bar: Color
    on_bar: Color
    selection: Color
    on_selection: Color
    title_bar: Color
    on_title_bar: Color
    font: str
    heading_font: str
    mono_font: str
    text_style: TextStyle
    text_size: float
    bold: int
    button_weight: int
    button_look: str
    field_look: str
    title_look: str
    check_look: str
    radius: float
    control_height: float
    padding: float
    gap: float
    border_width: float
    upper_buttons: bool
    letter_spacing: float
    shadows: bool
    icons: IconStyle
    caption_icons: float
    zebra: bool
    grid_lines: bool


def rgb(red: float, green: float, blue: float, alpha: float = 1.0) -> Color:
    """Pack components 0..1."""
    return (
        (int(alpha * 255 + 0.5) << 24)
        | (int(red * 255 + 0.5) << 16)
        | (int(green * 255 + 0.5) << 8)
        | int(blue * 255 + 0.5)
    )


def hls(hue: float, lightness: float, saturation: float) -> Color:
    """Pack a hue, lightness, saturation colour, lightness clamped to 0..1."""
    return rgb(*colorsys.hls_to_rgb(hue % 1.0, min(max(lightness, 0.0), 1.0), saturation))


def mix(first: Color, second: Color, share: float) -> Color:
    """Blend ``share`` of the second opaque colour into the first."""
    out = 0xFF
    for shift in (16, 8, 0):
        a, b = (first >> shift) & 255, (second >> shift) & 255
        out = (out << 8) | int(a + (b - a) * share + 0.5)
    return out


def fade(color: Color, alpha: float) -> Color:
    """Give the colour another opacity."""
    return (int(alpha * 255) << 24) | (color & 0xFFFFFF)


def luminance(color: Color) -> float:
    """Weigh a colour's brightness, 0..1."""
    return (0.299 * ((color >> 16) & 255) + 0.587 * ((color >> 8) & 255) + 0.114 * (color & 255)) / 255


def readable(on: Color) -> Color:
    """Choose black or white, whichever can be read on a colour."""
    return 0xFF000000 if luminance(on) > 0.58 else 0xFFFFFFFF


_RADII = {
    "classic": (0, 3),
    "flat": (0, 4),
    "outline": (2, 8),
    "material": (2, 6),
    "fluent": (2, 5),
    "mac": (5, 8),
    "gnome": (5, 10),
    "web": (3, 9),
    "pill": (12, 20),
    "terminal": (0, 2),
    "contrast": (0, 6),
    "paper": (0, 2),
    "glass": (8, 16),
    "toolkit": (0, 1),
}

_BUTTON_LOOKS = {
    "classic": ["gradient", "bevel", "border"],
    "flat": ["fill", "soft"],
    "outline": ["border", "soft"],
    "material": ["shadow", "fill", "ghost"],
    "fluent": ["border", "fill"],
    "mac": ["shadow", "gradient"],
    "gnome": ["soft", "border"],
    "web": ["fill", "border", "soft", "shadow", "gradient"],
    "pill": ["fill", "border", "soft"],
    "terminal": ["border", "ghost"],
    "contrast": ["border", "fill"],
    "paper": ["border", "ghost", "soft"],
    "glass": ["soft", "gradient"],
    "toolkit": ["bevel"],
}

_TITLE_LOOKS = {
    "mac": ["mac"],
    "gnome": ["gnome"],
    "fluent": ["windows"],
    "classic": ["windows", "classic"],
    "toolkit": ["classic"],
}


def make_theme(rng: Random, bank: Bank, split: Split, unit_px: float) -> Theme:
    """Choose a look at random among those ``split`` may use; ``unit_px``: rendered per logical pixel."""
    family = rng.choice(themes(split))
    dark = rng.random() < (0.85 if family == "terminal" else 0.55 if family == "contrast" else 0.36)
    hue, tint = rng.random(), rng.choice([0.0, 0.0, 0.05, 0.12, 0.25]) * rng.random()
    if family == "paper":
        hue, tint = 0.08 + rng.random() * 0.06, 0.25 + 0.3 * rng.random()
    if family == "contrast":
        window, text = (0xFF000000, 0xFFFFFFFF) if dark else (0xFFFFFFFF, 0xFF000000)
        panel = field = bar = window
        border = text if rng.random() < 0.7 else mix(window, text, 0.5)
    elif dark:
        base = 0.07 + rng.random() * 0.13
        window, panel = hls(hue, base, tint), hls(hue, base + rng.uniform(0.02, 0.07), tint)
        field = hls(hue, base + rng.choice([-0.05, -0.02, 0.04, 0.07]), tint)
        bar = hls(hue, base + rng.choice([-0.04, 0.03, 0.06]), tint)
        text = hls(hue, rng.uniform(0.82, 1.0), tint)
        border = mix(window, text, rng.uniform(0.1, 0.35))
    else:
        base = rng.choice([1.0, 0.98, 0.96, 0.94, 0.9, 0.85])
        window, panel = hls(hue, base, tint), hls(hue, base + rng.choice([-0.04, 0.03, 0.05]), tint)
        field = 0xFFFFFFFF if rng.random() < 0.75 else hls(hue, base - 0.04, tint)
        bar = hls(hue, base - rng.choice([0.0, 0.03, 0.07]), tint)
        text = hls(hue, rng.uniform(0.0, 0.24), tint)
        border = mix(window, text, rng.uniform(0.12, 0.45))
    accent = hls(rng.random(), rng.uniform(0.32, 0.55) + (0.1 if dark else 0.0), rng.uniform(0.45, 0.95))
    colored_bar = rng.random() < 0.2
    if colored_bar:
        bar = accent if rng.random() < 0.6 else hls(rng.random(), rng.uniform(0.12, 0.3), 0.4)
    look = rng.choice(_BUTTON_LOOKS[family])
    button = mix(window, text, rng.uniform(0.05, 0.16))
    if look in ("gradient", "bevel", "shadow"):
        button = mix(window, 0xFFFFFFFF, 0.5) if not dark else mix(window, 0xFFFFFFFF, rng.uniform(0.1, 0.25))
    title_bar = rng.choice([window, panel, bar, accent if rng.random() < 0.4 else mix(window, text, 0.08)])
    selection = accent if rng.random() < 0.55 else mix(window, accent, rng.uniform(0.15, 0.4))
    low, high = _RADII[family]
    size = rng.choice([11, 12, 12, 13, 13, 13, 14, 14, 15, 16, 17, 18]) + rng.choice([0, 0, 0.5])
    if rng.random() < 0.06:
        size = rng.choice([9, 10, 20, 22])
    serif = (family == "paper" and rng.random() < 0.6) or rng.random() < 0.05
    mono = family == "terminal" or rng.random() < 0.03
    sans = bank.families(split, "sans")
    font = rng.choice(bank.families(split, "mono" if mono else "serif" if serif else "sans"))
    density = rng.choice([0.8, 0.9, 1.0, 1.0, 1.15, 1.3])
    muted = mix(window, text, rng.uniform(0.5, 0.75))
    return Theme(
        family=family,
        dark=dark,
        unit_px=unit_px,
        desktop=hls(rng.random(), rng.uniform(0.1, 0.8), rng.uniform(0, 0.6)),
        window=window,
        panel=panel,
        field=field,
        border=border,
        text=text,
        muted=muted if family != "contrast" else mix(window, text, 0.8),
        accent=accent,
        on_accent=readable(accent),
        button=button,
        on_button=text if rng.random() < 0.8 else (mix(accent, text, 0.25)),
        link=mix(accent, 0xFFFFFFFF if dark else 0xFF000000, 0.25),
        danger=hls(rng.uniform(-0.03, 0.03), rng.uniform(0.4, 0.6), rng.uniform(0.6, 0.9)),
        bar=bar,
        on_bar=readable(bar) if colored_bar else text,
        selection=selection,
        on_selection=readable(selection),
        title_bar=title_bar,
        on_title_bar=readable(title_bar),
        font=font,
        heading_font=font if rng.random() < 0.85 else rng.choice(sans + bank.families(split, "serif")),
        mono_font=rng.choice(bank.families(split, "mono")),
        text_style=TextStyle(rng.choice(["grey", "grey", "lcd"]), rng.randint(0, 2), rng.random() < 0.7),
        text_size=size,
        bold=rng.choice([600, 700, 700]),
        button_weight=rng.choice([400, 400, 400, 500, 600, 700]),
        button_look=look,
        field_look=rng.choices(["box", "filled", "underline"], [0.75, 0.15, 0.1])[0],
        title_look=rng.choice(_TITLE_LOOKS.get(family, ["windows", "mac", "gnome", "classic"])),
        check_look=rng.choice(["fill", "fill", "border", "cross" if family in ("toolkit", "classic") else "border"]),
        radius=rng.uniform(low, high),
        control_height=size * 1.3 + rng.uniform(5, 15) * density,
        padding=rng.uniform(6, 14) * density,
        gap=rng.uniform(5, 12) * density,
        border_width=rng.choice([1, 1, 1, 1, 1.5, 2]) if family != "contrast" else rng.choice([1, 2, 2]),
        upper_buttons=rng.random() < (0.4 if family == "material" else 0.05),
        letter_spacing=rng.choice([0.0] * 7 + [0.3, 0.6, -0.2]),
        shadows=family not in ("flat", "terminal", "toolkit", "contrast") and rng.random() < 0.7,
        icons=rng.choice(bank.icon_choices(split)),
        caption_icons=rng.choice([0.0, 0.15, 0.5]),
        zebra=rng.random() < 0.3,
        grid_lines=rng.random() < 0.4,
    )
