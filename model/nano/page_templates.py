# ruff: noqa: E501 - markup, style sheets, scripts and word lists read worse when they are broken
"""Kinds of pages: what stands where. Each function returns the inside of a body."""

from collections.abc import Callable
from html import escape

from model.nano.page_builder import PageBuilder

Template = Callable[[PageBuilder], str]


def form(p: PageBuilder) -> str:
    """Write a settings, profile or checkout form."""
    top = p.nav() if p.chance(0.5) else ""
    fields = "".join(p.field() for _ in range(p.rng.randint(3, 9)))
    if p.chance(0.4):
        fields = f'<div class="dh-two">{fields}</div>'
    extras = [p.check() for _ in range(p.rng.randint(0, 3))]
    extras += [p.check("switch") for _ in range(p.rng.randint(0, 2))]
    extras += [p.radios()] if p.chance(0.4) else []
    p.rng.shuffle(extras)
    ends = "".join(p.button(t) for t in p.words.actions(p.rng.randint(1, 3)))
    tabs = p.tabs() if p.chance(0.25) else ""
    note = p.alert() if p.chance(0.2) else ""
    inside = f'{p.heading(2)}{tabs}{note}<form>{fields}{"".join(extras)}<div class="dh-row">{ends}</div></form>'
    return f'{top}<div class="dh-narrow">{inside}</div>'


def login(p: PageBuilder) -> str:
    """Write a sign-in page."""
    names = p.rng.sample(("Email", "User name", "Password", "Company", "Code", "Phone number"), p.rng.randint(2, 3))
    fields = "".join(p.field(n) for n in names)
    ends = p.button(p.rng.choice(("Sign in", "Log in", "Continue", "Next"))) + (p.button() if p.chance(0.4) else "")
    links = "".join(
        p.link(t) for t in p.rng.sample(("Forgot password?", "Create account", "Help", "Privacy", "Terms"), 2)
    )
    mark = f'<div class="dh-big">{p.icon()}</div>' if p.chance(0.5) else ""
    inside = f'{mark}{p.heading(2)}{fields}{p.check()}<div class="dh-row">{ends}</div><p class="dh-row">{links}</p>'
    style = "margin:8vh auto" if p.chance(0.6) else ""
    return f'<div class="dh-narrow" style="{style}">{inside}</div>'


def dashboard(p: PageBuilder) -> str:
    """Write a side bar, figures and a table."""
    figures = "".join(
        p.card(f'<b style="font-size:1.6em" data-r="label">{p.words.number()}</b>', "")
        for _ in range(p.rng.randint(2, 5))
    )
    head = f'<div class="dh-split">{p.heading(2)}<span class="dh-row">{p.search()}{p.icon_button()}{p.button()}</span></div>'
    table = p.table(actions=p.chance(0.5))
    inside = f'{head}<div class="dh-grid">{figures}</div>{p.heading(3)}{table}{p.pages() if p.chance(0.5) else ""}'
    return _sided(p, inside)


def cards(p: PageBuilder) -> str:
    """Write a shop or gallery of cards."""
    pictures = p.chance(0.6)
    made = []
    for _ in range(p.rng.randint(4, 12)):
        picture = '<div class="dh-pic"></div>' if pictures else ""
        badge = p.badge() if p.chance(0.3) else ""
        made.append(p.card(f"{picture}{badge} {escape(p.words.sentence(3, 8))}"))
    bar = (
        f'<div class="dh-row">{p.search()}{p.button(icon="filter")}{p.button(icon="sort")}</div>'
        if p.chance(0.5)
        else ""
    )
    return (
        f'{p.nav()}<div class="dh-main">{p.heading(1)}{bar}<div class="dh-grid">{"".join(made)}</div>{p.pages()}</div>'
    )


def rows(p: PageBuilder) -> str:
    """Write a list whose rows have icons, switches or buttons."""
    kind = p.rng.randrange(5)
    made = []
    for text in p.words.distinct(p.words.phrase, p.rng.randint(4, 12)):
        label = f"<span>{escape(text)}</span>"
        end = ("", p.icon_button(), p.button(), p.badge(), p.icon_button("more"))[kind]
        start = p.icon() if p.chance(0.5) else ""
        made.append(
            f'<span class="dh-split"><span class="dh-row">{start}{label}</span><span class="dh-row">{end}</span></span>'
        )
    inside = f"{p.heading(2)}{p.tabs() if p.chance(0.4) else ''}{p.list(made)}<div class='dh-row'>{p.button()}{p.button()}</div>"
    return f'{p.nav() if p.chance(0.5) else ""}<div class="dh-narrow">{inside}</div>'


def mail(p: PageBuilder) -> str:
    """Write a mail client: folders, messages, one of them open."""
    messages = []
    for _ in range(p.rng.randint(4, 9)):
        star = p.icon_button("star") if p.chance(0.6) else ""
        messages.append(
            f'<span class="dh-split"><b>{escape(p.words.person())}</b><small>{p.words.number()}</small>{star}</span>'
            f'<span class="dh-clip">{escape(p.words.sentence())}</span>'
        )
    reading = (
        f'<div class="dh-split">{p.heading(3)}<span class="dh-row">'
        + "".join(p.icon_button(c) for c in ("back", "archive", "trash", "more"))
        + f"</span></div><p>{escape(p.words.paragraph())}</p><p>{escape(p.words.paragraph())}</p>"
        + f'<div class="dh-row">{p.button("Reply")}{p.button("Forward")}{p.button(icon="attach")}</div>'
    )
    inside = f'<div class="dh-pane"><div>{p.list(messages)}</div><div>{reading}</div></div>'
    return _sided(p, p.toolbar(5) + inside, p.button("Compose", icon="compose"))


def files(p: PageBuilder) -> str:
    """Write a file manager in rows or tiles."""
    names = p.words.distinct(p.words.file, p.rng.randint(5, 16))
    if p.chance(0.5):
        made = [
            f'<span class="dh-split"><span>{p.icon("folder" if p.chance(0.3) else "file")} {escape(n)}</span>'
            f"<small>{p.words.number()}</small></span>"
            for n in names
        ]
        body = p.list(made, "files")
    else:
        tiles = "".join(
            f'<div data-r="list_item" style="text-align:center"><div class="dh-big">{p.icon("folder")}</div>{escape(n)}</div>'
            for n in names
        )
        body = f'<div class="dh-grid" style="--cell:120px">{tiles}</div>'
    path = " / ".join(p.link() for _ in range(p.rng.randint(2, 4)))
    return _sided(p, f'{p.toolbar()}<div class="dh-row">{path}</div>{body}')


def editor(p: PageBuilder) -> str:
    """Write a document editor: menu bar, tool bar, page; one menu may be open."""
    titles = p.words.distinct(p.words.menu, p.rng.randint(4, 7))
    bar = "".join(
        f'<a href="#" data-r="menu" style="padding:2px 8px;color:inherit;text-decoration:none">{escape(t)}</a>'
        for t in titles
    )
    menu = ""
    if p.chance(0.5):
        left = p.rng.randint(0, 4) * 50
        menu = f'<div class="dh-pop" style="left:{left + 8}px;top:30px">{p.menu(p.rng.choice(titles), p.rng.randint(4, 10))}</div>'
    text = "".join(f"<p>{escape(p.words.paragraph())}</p>" for _ in range(p.rng.randint(1, 4)))
    status = " ".join(f'<span data-r="label">{escape(p.words.phrase())}</span>' for _ in range(3))
    tabs = p.tabs([p.words.file() for _ in range(3)]) if p.chance(0.4) else ""
    bars = p.toolbar() + (p.toolbar() if p.chance(0.5) else "")
    return (
        f'<div class="dh-row" data-g="menu bar" data-k="menu" style="padding:3px;gap:2px">{bar}</div>{menu}{bars}{tabs}'
        f'<div class="dh-paper">{p.heading(2)}{text}</div><div class="dh-row" style="padding:3px 8px">{status}</div>'
    )


def article(p: PageBuilder) -> str:
    """Write an article with links in its text."""
    parts = []
    for _ in range(p.rng.randint(2, 6)):
        sentences = [escape(p.words.sentence()) for _ in range(p.rng.randint(2, 5))]
        sentences[p.rng.randrange(len(sentences))] += " " + p.link()
        parts.append((p.heading(3) if p.chance(0.4) else "") + f"<p>{' '.join(sentences)}</p>")
    side = "".join(f"<p>{p.link()}</p>" for _ in range(p.rng.randint(3, 8)))
    share = "".join(p.icon_button(c) for c in p.rng.sample(("share", "bookmark", "heart", "print", "mail", "link"), 3))
    main = f'<div class="dh-main">{p.heading(1)}<div class="dh-row">{share}{p.badge()}</div>{"".join(parts)}</div>'
    return f'{p.nav()}<div style="display:grid;grid-template-columns:minmax(0,3fr) minmax(0,1fr)">{main}<div class="dh-main">{p.heading(4)}{side}</div></div>'


def chat(p: PageBuilder) -> str:
    """Write a conversation with a message box."""
    lines = "".join(
        f'<div class="dh-row"><span class="dh-face"></span><div><b data-r="label">{escape(p.words.person())}</b><br>'
        f"{escape(p.words.sentence(3, 10))}</div>{p.icon_button('more') if p.chance(0.3) else ''}</div>"
        for _ in range(p.rng.randint(3, 7))
    )
    _, box = p.input("Message")
    send = p.icon_button("send") or p.button("Send")
    bottom = f'<div style="display:flex;gap:6px">{p.icon_button("attach")}<div style="flex:1">{box}</div>{send}</div>'
    return _sided(
        p,
        f'<div class="dh-split">{p.heading(3)}<span class="dh-row">{p.icon_button("phone")}{p.icon_button("video")}</span></div>{lines}{bottom}',
    )


def player(p: PageBuilder) -> str:
    """Write a media player: a list and transport buttons."""
    songs = [
        f'<span class="dh-split"><span>{escape(t)}</span><small>{p.words.number()}</small></span>'
        for t in p.words.distinct(p.words.phrase, 6)
    ]
    keys = [
        c
        for c in ("shuffle", "previous", "rewind", "play", "pause", "fast forward", "next", "repeat", "volume", "heart")
        if p.chance(0.7)
    ]
    bar = "".join(p.icon_button(c) for c in keys)
    position = '<input type="range" data-r="slider" data-l="position">'
    foot = f'<div class="dh-row dh-big" data-g="player" data-k="toolbar" style="justify-content:center">{bar}{position}</div>'
    return _sided(p, f'<div class="dh-pic" style="height:160px"></div>{p.heading(2)}{p.list(songs, "songs")}{foot}')


def icons(p: PageBuilder) -> str:
    """Write a panel full of icon buttons in several sizes."""
    names = p.rng.sample(p.icons.names(p.icon_set), min(24, len(p.icons.names(p.icon_set))))
    big = "dh-big" if p.chance(0.5) else ""
    grid = "".join(f"<span>{p.icon_button(n)}</span>" for n in names)
    return f'{p.nav()}<div class="dh-main">{p.toolbar()}{p.heading(3)}<div class="dh-row {big}" style="gap:{p.rng.randint(8, 40)}px">{grid}</div>{p.toolbar()}</div>'


def dropdown(p: PageBuilder) -> str:
    """Write a page of another kind with an opened menu over it."""
    under = p.rng.choice((cards, rows, article, form))(p)
    left, top = p.rng.randint(5, 60), p.rng.randint(6, 40)
    return f'{under}<div class="dh-pop" style="left:{left}vw;top:{top}vh">{p.menu()}</div>'


def dialog(p: PageBuilder) -> str:
    """Write a page of another kind with a dialog over it."""
    under = p.rng.choice((cards, rows, article, form, dashboard, mail))(p)
    kind = p.rng.randrange(3)
    if kind == 0:
        body = f"<p>{escape(p.words.sentence())}</p>"
    elif kind == 1:
        body = "".join(p.field() for _ in range(p.rng.randint(1, 4)))
    else:
        body = "".join(p.check() for _ in range(p.rng.randint(2, 4))) + p.radios()
    inside = p.modal(p.words.phrase(), body, p.words.actions(p.rng.randint(1, 3)))
    return f'{under}<div class="dh-back"></div><div class="dh-over"><div class="dh-box">{inside}</div></div>'


def fill(p: PageBuilder) -> str:
    """Write sections that stand below the main part of a page, in columns."""
    sections: list[str] = []
    for _ in range(p.rng.randint(1, 4)):
        made = p.rng.choice(
            (
                lambda: p.list([escape(t) for t in p.words.distinct(p.words.phrase, p.rng.randint(3, 7))]),
                lambda: p.table(p.rng.randint(2, 4)),
                lambda: "".join(p.field() for _ in range(p.rng.randint(1, 4))) + p.button(),
                lambda: "".join(p.check() for _ in range(p.rng.randint(2, 5))),
                lambda: "".join(f"<p>{p.link()}</p>" for _ in range(p.rng.randint(3, 6))),
                lambda: p.card(),
                lambda: p.toolbar(p.rng.randint(3, 8)),
                lambda: f'<div class="dh-row">{"".join(p.button(icon="") for _ in range(p.rng.randint(2, 5)))}</div>',
                lambda: f"<p>{escape(p.words.paragraph())}</p>",
            )
        )()
        sections.append(f"<section>{p.heading(3) if p.chance(0.6) else ''}{made}</section>")
    return f'<div class="dh-main dh-grid" style="--cell:{p.rng.choice((220, 300, 380))}px">{"".join(sections)}</div>'


def _sided(p: PageBuilder, inside: str, first: str = "") -> str:
    names = p.words.distinct(p.words.section, p.rng.randint(4, 9))
    with_icons = p.chance(0.5)
    links = "".join(
        f'<div><a href="#" data-r="link">{p.icon() + " " if with_icons else ""}{escape(n)}</a></div>' for n in names
    )
    side = f'<div class="dh-side dh-col" data-g="side bar" data-k="list">{first}{p.heading(4)}{links}</div>'
    top = p.nav() if p.chance(0.4) else ""
    flip = "dh-flip" if p.chance(0.2) else ""
    return f'{top}<div class="dh-app {flip}">{side}<div class="dh-main">{inside}</div></div>'


TEMPLATES: dict[str, Template] = {
    f.__name__: f
    for f in (form, login, dashboard, cards, rows, mail, files, editor, article, chat, player, icons, dropdown, dialog)
}
