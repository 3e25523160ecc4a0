# ruff: noqa: E501 - markup, style sheets, scripts and word lists read worse when they are broken
"""Random looks for rendered pages: layout helpers, fonts, colours, and a whole design for the plain kit."""

import colorsys
from dataclasses import dataclass
from random import Random

from model.nano.page_kits import Kit
from model.nano.split import Split, font_split

_FAMILIES = (
    "DejaVu Sans", "Liberation Sans", "Roboto", "Open Sans", "Lato", "Inter", "Arimo", "Carlito", "FreeSans", "Cabin",
    "Quicksand", "Nimbus Sans", "Oxygen-Sans", "Roboto Condensed", "Comfortaa", "DejaVu Serif", "Liberation Serif",
    "Tinos", "Caladea", "EB Garamond", "Hack", "JetBrains Mono", "Liberation Mono", "Cousine", "DejaVu Sans Mono",
    "Noto Sans", "Noto Serif", "Cantarell", "Fira Code", "Noto Sans Display",
)  # fmt: skip
_SANS_COUNT = 15

_LAYOUT = """
.dh-i{width:1.15em;height:1.15em;vertical-align:-.2em;display:inline-block;flex:none}
.dh-big .dh-i{width:1.6em;height:1.6em}
.dh-row{display:flex;flex-wrap:wrap;gap:var(--gap);align-items:center}
.dh-end{justify-content:flex-end}
.dh-col{display:flex;flex-direction:column;gap:var(--gap)}
.dh-grid{display:grid;gap:calc(var(--gap)*1.5);grid-template-columns:repeat(auto-fill,minmax(var(--cell),1fr));align-items:start}
.dh-grid>*{min-width:0;overflow:hidden}
.dh-app{display:grid;grid-template-columns:var(--side) minmax(0,1fr);min-height:100vh}
.dh-flip{grid-template-columns:minmax(0,1fr) var(--side)}.dh-flip>.dh-side{order:2}
.dh-pane{display:grid;gap:12px;grid-template-columns:minmax(0,2fr) minmax(0,3fr)}.dh-pane>*{overflow-wrap:anywhere}
.dh-side{padding:var(--gap);border-right:1px solid color-mix(in srgb,currentColor 18%,transparent)}
.dh-main{padding:calc(var(--gap)*1.5);min-width:0}
.dh-narrow{max-width:var(--narrow);margin:var(--gap) var(--place)}
.dh-two{display:grid;grid-template-columns:1fr 1fr;gap:0 calc(var(--gap)*2)}
.dh-over{position:fixed;inset:0;display:flex;align-items:center;justify-content:center;z-index:900}
.dh-back{position:fixed;inset:0;background:rgba(0,0,0,var(--dim));z-index:890}
.dh-box{width:var(--narrow);max-width:92vw;max-height:92vh;overflow:auto;background:var(--sheet);border-radius:var(--round);
 box-shadow:0 12px 40px rgba(0,0,0,.35)}
.dh-pop{position:absolute;z-index:500;min-width:150px;background:var(--sheet);box-shadow:0 4px 16px rgba(0,0,0,.25)}
.dh-clip{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;display:block}
.dh-x{float:right;margin-left:auto}
.dh-split{display:flex;gap:var(--gap);justify-content:space-between;align-items:center;width:100%}
.dh-nav{display:flex;gap:calc(var(--gap)*2);align-items:center;padding:8px 12px;flex-wrap:wrap}
.dh-nav>:last-child{margin-left:auto}
.dh-tabs{display:flex;gap:4px;margin-bottom:var(--gap)}.dh-tabs>*{padding:6px 12px}
.dh-tabs>.dh-on{border-bottom:2px solid currentColor}
.dh-menu{display:flex;flex-direction:column;border:1px solid color-mix(in srgb,currentColor 25%,transparent);list-style:none;
 padding:4px;margin:0}
.dh-menu>*{padding:5px 14px;text-decoration:none;display:block}
.dh-list{list-style:none;padding:0;margin:0}.dh-list>li{padding:var(--pad);margin:0;
 border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}
.dh-card{padding:12px;border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:var(--round)}
.dh-modal{padding:18px}
.dh-alert{padding:10px 14px;background:color-mix(in srgb,var(--hue) 22%,transparent);border-radius:var(--round);margin:8px 0}
.dh-badge{padding:1px 8px;border-radius:9px;background:var(--hue);color:#fff;font-size:.8em}
.dh-bar{padding:4px 8px;gap:var(--tight);border-bottom:1px solid color-mix(in srgb,currentColor 18%,transparent)}
.dh-pic{background:linear-gradient(135deg,var(--hue),var(--hue2));border-radius:var(--round);height:90px}
.dh-face{width:32px;height:32px;border-radius:50%;background:var(--hue2);display:inline-block;flex:none}
.dh-paper{padding:24px;border:1px solid color-mix(in srgb,currentColor 18%,transparent);min-height:200px}
.dh-switch{display:flex;gap:8px;align-items:center}.dh-switch input{position:absolute;opacity:0}
.dh-switch i{width:34px;height:18px;border-radius:9px;background:#999;display:inline-block;position:relative}
.dh-switch i::after{content:'';position:absolute;left:2px;top:2px;width:14px;height:14px;border-radius:50%;background:#fff}
.dh-switch input:checked+i{background:var(--hue)}.dh-switch input:checked+i::after{left:18px}
.dh-iconbtn{background:none;border:var(--edge);color:inherit;padding:var(--press);margin:0;line-height:1;height:auto;min-width:0;
 width:auto;box-shadow:none;border-radius:var(--round);text-decoration:none;display:inline-flex}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How one page is drawn: its style sheet, its theme, and attributes of the root element."""

    css: str
    dark: bool
    root_attributes: str
    family: str


def families(split: Split) -> list[str]:
    """List the installed font families that pages of a split are written in, the plainer ones more often."""
    chosen = [name for name in _FAMILIES if font_split(name) == split]
    return chosen + [name for name in _FAMILIES[:_SANS_COUNT] if font_split(name) == split] * 2


def random_look(kit: Kit, split: Split, rng: Random) -> Look:
    """Choose theme, font, spacing and colours for a page of ``kit``."""
    dark = kit.can_be_dark and rng.random() < 0.35
    family = rng.choice(families(split))
    hue, hue2 = rng.random(), rng.random()
    sheet = _colour(hue, 0.12, 0.17) if dark else "#ffffff"
    variables = {
        "gap": f"{rng.choice((4, 6, 8, 10, 12, 16))}px",
        "tight": f"{rng.choice((0, 2, 4, 8, 14))}px",
        "pad": f"{rng.choice((3, 5, 8, 12))}px {rng.choice((6, 10, 16))}px",
        "cell": f"{rng.choice((170, 210, 250, 300))}px",
        "side": f"{rng.choice((150, 180, 220, 260))}px",
        "narrow": f"{rng.choice((300, 360, 420, 520, 640))}px",
        "place": rng.choice(("auto", "auto", "12px", "15vw")),
        "round": f"{rng.choice((0, 2, 4, 6, 10, 16))}px",
        "press": f"{rng.choice((2, 4, 6, 8, 10))}px",
        "edge": rng.choice(("none", "none", "1px solid color-mix(in srgb,currentColor 30%,transparent)")),
        "dim": str(rng.choice((0.2, 0.4, 0.5, 0.6))),
        "hue": _colour(hue, 0.7, 0.5),
        "hue2": _colour(hue2, 0.5, 0.55),
        "sheet": sheet,
    }
    css = [":root{" + ";".join(f"--{k}:{v}" for k, v in variables.items()) + "}", _LAYOUT]
    if rng.random() < 0.75:
        css.append(
            f"body,button,input,select,textarea,a,p,label,h1,h2,h3,h4,h5,td,th,li{{font-family:'{family}'!important}}"
        )
    if rng.random() < 0.6:
        css.append(f"html{{font-size:{rng.choice((12, 13, 14, 15, 16, 17, 18))}px!important}}")
    if kit.name == "plain":
        css.append(_plain_css(hue, dark, rng))
    elif kit.name == "bare":
        css.append(":root{color-scheme:dark}" if dark else ":root{color-scheme:light}")
    elif not dark and kit.name not in ("pico", "water", "simple") and rng.random() < 0.3:
        css.append(f"body{{background:{_colour(rng.random(), 0.25, rng.uniform(0.93, 0.99))}}}")
    if rng.random() < 0.1:
        css.append("button,.btn,.button{text-transform:uppercase;letter-spacing:.05em}")
    return Look("\n".join(css), dark, kit.dark_root if dark else "", family)


def _plain_css(hue: float, dark: bool, rng: Random) -> str:
    """Write a small design of our own: no two pages of it look alike."""
    back = _colour(hue, rng.uniform(0, 0.3), rng.uniform(0.06, 0.2) if dark else rng.uniform(0.92, 1))
    text = _colour(hue, 0.1, rng.uniform(0.8, 0.97) if dark else rng.uniform(0.05, 0.25))
    field = _colour(hue, rng.uniform(0, 0.2), rng.uniform(0.1, 0.28) if dark else rng.uniform(0.94, 1))
    accent = _colour(hue, rng.uniform(0.45, 0.9), rng.uniform(0.35, 0.5))
    round_px = rng.choice((0, 2, 3, 4, 6, 8, 12, 20))
    pad = f"{rng.choice((2, 4, 6, 8, 11))}px {rng.choice((6, 10, 14, 20))}px"
    edge = rng.choice(
        ("none", f"1px solid {accent}", f"1px solid color-mix(in srgb,{text} 35%,transparent)", f"2px solid {accent}")
    )
    shadow = rng.choice(
        ("none", "none", "0 1px 3px rgba(0,0,0,.3)", "0 3px 8px rgba(0,0,0,.25)", "inset 0 -2px rgba(0,0,0,.2)")
    )
    under = rng.random() < 0.4
    line = rng.choice((1.2, 1.35, 1.5, 1.7))
    return f"""
:root{{color-scheme:{"dark" if dark else "light"}}}
body{{margin:0;background:{back};color:{text};font-size:{rng.choice((12, 13, 14, 15, 16, 18))}px;line-height:{line}}}
a{{color:{_colour(hue, 0.7, 0.65 if dark else 0.4)};text-decoration:{"underline" if under else "none"}}}
button,input,select,textarea{{font-size:1em}}
button{{padding:{pad};border:{edge};border-radius:{round_px}px;box-shadow:{shadow};background:color-mix(in srgb,{text} 12%,{back});
 color:{text}}}
.dh-primary{{background:{accent};color:#fff}}
.dh-second{{background:{field};color:{text};border:1px solid color-mix(in srgb,{text} 40%,transparent)}}
.dh-ghost{{background:none;color:{_colour(hue, 0.7, 0.65 if dark else 0.4)};border-color:transparent;box-shadow:none}}
input:not([type=checkbox]):not([type=radio]):not([type=range]),select,textarea{{padding:{pad};border-radius:{round_px}px;
 background:{field};color:{text};border:1px solid color-mix(in srgb,{text} 35%,transparent);box-sizing:border-box;
 {"width:100%" if rng.random() < 0.5 else ""}}}
::placeholder{{color:color-mix(in srgb,{text} 55%,transparent);opacity:1}}
label{{font-weight:{rng.choice((400, 400, 600))}}}
table{{border-collapse:collapse;width:100%}}td,th{{padding:{pad};text-align:left;
 border-bottom:1px solid color-mix(in srgb,{text} 20%,transparent)}}
h1,h2,h3{{margin:.5em 0;font-weight:{rng.choice((400, 600, 700))}}}
.dh-nav{{background:{rng.choice((accent, field))}}}
"""


def _colour(hue: float, saturation: float, lightness: float) -> str:
    r, g, b = colorsys.hls_to_rgb(hue, lightness, saturation)
    return f"#{round(r * 255):02x}{round(g * 255):02x}{round(b * 255):02x}"
