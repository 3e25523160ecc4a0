"""Write the components of a page in the words of one framework."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from random import Random
from typing import Literal

from model.nano.page_assets import Icons
from model.nano.page_kits import Kit
from model.nano.page_text import Words

InputType = Literal["text", "email", "password", "search", "number", "tel", "url"]

_KNOWN_TYPES: tuple[tuple[str, InputType], ...] = (
    ("password", "password"),
    ("email", "email"),
    ("quantity", "number"),
    ("age", "number"),
)


@dataclass(slots=True)
class PageBuilder:
    """Makes HTML of components; the text is random, the structure is the caller's."""

    kit: Kit
    words: Words
    icons: Icons
    icon_set: str
    rng: Random
    _ids: int = field(default=0)

    def chance(self, share: float) -> bool:
        """Return ``True`` in ``share`` of the calls."""
        return self.rng.random() < share

    def icon(self, concept: str = "") -> str:
        """Draw an icon by its common name, or any; empty when the set lacks it."""
        concept = concept or self.rng.choice(self.icons.names(self.icon_set))
        return self.icons.svg(self.icon_set, concept, self.rng) or ""

    def button(self, text: str = "", icon: str | None = None, kind: str | None = None) -> str:
        """Write a button with a caption; ``icon`` may be "" for any."""
        label = escape(text or self.words.action())
        body = f"{self.icon(icon)} {label}" if icon is not None else label
        off = "disabled" if self.chance(0.05) else ""
        chosen = self.rng.choice(self.kit.button_kinds) if kind is None else kind
        return self.kit.button.format(a='data-r="button"', off=off, body=body, kind=chosen)

    def icon_button(self, concept: str = "") -> str:
        """Write a button that shows only an icon; empty when the set lacks it."""
        svg = self.icon(concept)
        if not svg:
            return ""
        a = 'data-r="icon_button"'
        if self.kit.icon_button and self.chance(0.5):
            return self.kit.icon_button.format(a=a, body=svg)
        if self.chance(0.5):
            return f'<button type="button" class="dh-iconbtn" {a}>{svg}</button>'
        return self.kit.button.format(a=a, off="", body=svg, kind=self.rng.choice(self.kit.button_kinds))

    def link(self, text: str = "") -> str:
        """Write a link."""
        return self.kit.link.format(a='data-r="link"', body=escape(text or self.words.phrase()))

    def input(self, label: str = "", kind: InputType = "text") -> tuple[str, str]:
        """Write a bare input; return its id and its HTML."""
        ident = self._next_id()
        attrs = [f'type="{kind}"']
        state = self.rng.random()
        if kind == "number":
            attrs.append(f'value="{self.rng.randint(0, 500)}"')
        elif state < 0.35:
            attrs.append(f'placeholder="{escape(self._placeholder(label))}"')
        elif state < 0.7:
            attrs.append(f'value="{escape(self.words.value())}"')
        if self.chance(0.04):
            attrs.append("disabled")
        role = "spin" if kind == "number" else "text_field"
        return ident, self.kit.input.format(id=ident, attrs=" ".join(attrs), a=f'data-r="{role}"')

    def search(self) -> str:
        """Write a search box with a placeholder."""
        text = self.rng.choice(("Search", "Search…", f"Search {self.words.word()}", "Find", "Type to search", "Filter"))
        attrs = f'type="search" placeholder="{escape(text)}" style="width:{self.rng.randint(140, 280)}px"'
        return self.kit.input.format(id=self._next_id(), attrs=attrs, a='data-r="text_field"')

    def field(self, label: str = "") -> str:
        """Write a captioned field of some kind."""
        label = label or self.words.field()
        pick = self.rng.random()
        if pick < 0.16:
            ident = self._next_id()
            options = self.words.distinct(self.words.country if self.chance(0.3) else self.words.phrase, 4)
            body = "".join(f"<option>{escape(o)}</option>" for o in options)
            control = self.kit.select.format(id=ident, attrs="", a='data-r="combo"', body=body)
        elif pick < 0.22:
            ident = self._next_id()
            value = escape(self.words.paragraph(1, 2)) if self.chance(0.5) else ""
            attrs = f'rows="{self.rng.randint(2, 4)}"'
            control = self.kit.textarea.format(id=ident, attrs=attrs, a='data-r="text_field"')
            control = control.replace("></textarea>", f">{value}</textarea>")
        elif pick < 0.27:
            ident = self._next_id()
            value = self.rng.randint(0, 100)
            control = f'<input id="{ident}" type="range" value="{value}" data-r="slider">'
        else:
            known: list[InputType] = [kind for word, kind in _KNOWN_TYPES if word in label.lower()]
            ident, control = self.input(label, known[0] if known else "text")
        text = escape(label + self.rng.choice(("", "", "", ":", " *")))
        gap = self.rng.choice(("<br>", " "))
        return self.kit.field.format(id=ident, label=text, control=control, gap=gap)

    def check(self, kind: Literal["checkbox", "radio", "switch"] = "checkbox", name: str = "g") -> str:
        """Write a check box, radio button or switch with its caption."""
        template = self.kit.switch if kind == "switch" and self.kit.switch else self.kit.check
        shown = "checkbox" if kind == "switch" else kind
        role = kind if kind != "switch" or self.kit.switch else "checkbox"
        attrs = f'name="{name}"' + (" checked" if self.chance(0.4) else "")
        label = escape(self.words.check())
        return template.format(type=shown, id=self._next_id(), attrs=attrs, label=label, a=f'data-r="{role}"')

    def radios(self) -> str:
        """Write a set of radio buttons."""
        name = self._next_id()
        return "".join(self.check("radio", name) for _ in range(self.rng.randint(2, 4)))

    def nav(self, end: str | None = None) -> str:
        """Write a top navigation with a brand, entries and something at its end."""
        names = self.words.distinct(self.words.section, self.rng.randint(3, 6))
        items = "".join(self.kit.nav_item.format(a='data-r="link"', body=escape(n)) for n in names)
        if end is None:
            parts = [self.search() if self.chance(0.4) else "", self.icon_button() if self.chance(0.5) else ""]
            parts.append(self.icon_button() if self.chance(0.4) else self.button(kind=""))
            end = f'<span class="dh-row">{"".join(parts)}</span>'
        return self.kit.nav.format(
            brand=escape(self.words.phrase(1, 2).title()),
            brand_a='data-r="label"',
            items=items,
            end=end,
            g='data-g="navigation" data-k="menu"',
            tone=self.rng.choice(("", "inverted", "blue inverted")),
        )

    def tabs(self, names: Sequence[str] = ()) -> str:
        """Write a row of tabs, one of them selected."""
        chosen = list(names) or self.words.distinct(self.words.section, self.rng.randint(3, 5))
        on = self.rng.randrange(len(chosen))
        items = "".join(
            self.kit.tab.format(a='data-r="tab"', body=escape(n), active=self.kit.active if i == on else "")
            for i, n in enumerate(chosen)
        )
        return self.kit.tabs.format(items=items, g='data-g="tabs" data-k="tabs"')

    def menu(self, title: str = "menu", count: int = 0) -> str:
        """Write an opened menu."""
        names = self.words.actions(count or self.rng.randint(3, 8))
        with_icons = self.chance(0.4)
        items = "".join(
            self.kit.menu_item.format(
                a='data-r="menu_item"', body=(self.icon() + " " if with_icons and self.chance(0.8) else "") + escape(n)
            )
            for n in names
        )
        return self.kit.menu.format(items=items, g=f'data-g="{escape(title)}" data-k="menu"')

    def list(self, bodies: Sequence[str], title: str = "list") -> str:
        """Write a list of rows given as HTML."""
        items = "".join(self.kit.item.format(a='data-r="list_item"', body=body) for body in bodies)
        return self.kit.items.format(items=items, g=f'data-g="{escape(title)}" data-k="list"')

    def table(self, columns: int = 0, rows: int = 0, actions: bool = False) -> str:
        """Write a table; with ``actions``, each row ends in buttons."""
        headings = self.words.distinct(self.words.field, columns or self.rng.randint(3, 6))
        makers = [
            self.rng.choice((w.person, w.number, w.phrase, w.email, w.country)) for w in [self.words] * len(headings)
        ]
        concepts = [c for c in ("edit", "trash", "more", "eye") if self.chance(0.5)] or ["edit"]
        body = []
        for _ in range(rows or self.rng.randint(3, 10)):
            cells = "".join(f'<td data-r="cell">{escape(make())}</td>' for make in makers)
            last = "".join(self.icon_button(c) for c in concepts)
            body.append(f"<tr>{cells}<td>{last}</td></tr>" if actions else f"<tr>{cells}</tr>")
        head = "".join(f'<th data-r="heading">{escape(h)}</th>' for h in headings) + ("<th></th>" if actions else "")
        return self.kit.table.format(head=head, rows="".join(body), g='data-g="table" data-k="table"')

    def card(self, body: str = "", foot: str | None = None) -> str:
        """Write a card with a title, text and buttons."""
        ends = [self.button() for _ in range(self.rng.randint(0, 2))] + (
            [self.icon_button()] if self.chance(0.4) else []
        )
        return self.kit.card.format(
            title=escape(self.words.phrase()),
            body=body or escape(self.words.sentence()),
            foot="".join(ends) if foot is None else foot,
        )

    def modal(self, title: str, body: str, buttons: Sequence[str]) -> str:
        """Write a dialog's inside."""
        x = f'<span class="dh-x">{self.icon_button("close")}</span>' if self.chance(0.6) else ""
        foot = "".join(self.button(b) for b in buttons)
        c = f'data-c="{escape(title)}" data-ck="dialog"'
        return self.kit.modal.format(title=escape(title), x=x, body=body, foot=foot, c=c)

    def pages(self) -> str:
        """Write a pager."""
        low = self.rng.randint(1, 7)
        names = [self.rng.choice(("Previous", "«", "Prev", "‹")), *map(str, range(low, low + self.rng.randint(3, 5)))]
        names.append(self.rng.choice(("Next", "»", "›")))
        on = self.rng.randint(1, len(names) - 2)
        items = "".join(
            self.kit.page.format(a='data-r="link"', body=n, active=self.kit.active if i == on else "")
            for i, n in enumerate(names)
        )
        return self.kit.pages.format(items=items, g='data-g="pages" data-k="list"')

    def toolbar(self, count: int = 0) -> str:
        """Write a bar of icon buttons, now and then with captions."""
        names = self.rng.sample(self.icons.names(self.icon_set), count or self.rng.randint(4, 10))
        captions = self.chance(0.15)
        items = "".join(self.button(icon=n) if captions else self.icon_button(n) for n in names)
        return self.kit.bar.format(items=items, g='data-g="toolbar" data-k="toolbar"')

    def alert(self) -> str:
        """Write a notice."""
        return self.kit.alert.format(a='data-r="label"', body=escape(self.words.sentence(3, 8)))

    def badge(self) -> str:
        """Write a small label."""
        return self.kit.badge.format(a='data-r="label"', body=escape(self.words.phrase(1, 1)))

    def heading(self, level: int = 0, text: str = "") -> str:
        """Write a heading."""
        level = level or self.rng.randint(1, 4)
        return f"<h{level}>{escape(text or self.words.phrase(1, 4))}</h{level}>"

    def _placeholder(self, label: str) -> str:
        w = self.words
        return self.rng.choice((f"Enter {label.lower()}", w.phrase(), w.email(), f"e.g. {w.word()}", label, w.person()))

    def _next_id(self) -> str:
        self._ids += 1
        return f"f{self._ids}"
