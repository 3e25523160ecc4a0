# ruff: noqa: E501 - markup, style sheets, scripts and word lists read worse when they are broken
"""CSS frameworks: which style sheet each brings, and how each writes the usual components.

A template is HTML for `str.format`. ``{a}`` takes the data attributes by which `model.nano.page_dom` knows what an
element is; ``{body}``, ``{label}``, ``{id}``, ``{control}``, ``{kind}`` and ``{title}`` are filled by
`model.nano.page_builder`. Versions are pinned so that a seed draws the same page again.
"""

from dataclasses import dataclass

from model.nano.split import TEST_FRAMEWORKS, TRAIN_FRAMEWORKS, Split


@dataclass(frozen=True, slots=True)
class Kit:
    """One framework; the defaults are plain HTML, for frameworks that style tags rather than classes."""

    name: str
    package: str = ""
    css: tuple[str, ...] = ()
    dark_css: tuple[str, ...] = ()
    dark_root: str = ""
    can_be_dark: bool = False
    body_class: str = ""
    button: str = '<button type="button" {a} {off}>{body}</button>'
    button_kinds: tuple[str, ...] = ("",)
    icon_button: str = ""
    link: str = '<a href="#" {a}>{body}</a>'
    field: str = '<p><label for="{id}">{label}</label>{gap}{control}</p>'
    input: str = '<input id="{id}" {attrs} {a}>'
    textarea: str = '<textarea id="{id}" {attrs} {a}></textarea>'
    select: str = '<select id="{id}" {attrs} {a}>{body}</select>'
    check: str = '<label {a}><input type="{type}" {attrs}> {label}</label>'
    switch: str = ""
    nav: str = '<nav class="dh-nav"><b {brand_a}>{brand}</b><span class="dh-row" {g}>{items}</span>{end}</nav>'
    nav_item: str = '<a href="#" {a}>{body}</a>'
    tabs: str = '<div class="dh-tabs" {g}>{items}</div>'
    tab: str = '<a href="#" class="{active}" {a}>{body}</a>'
    active: str = "dh-on"
    menu: str = '<div class="dh-menu" {g}>{items}</div>'
    menu_item: str = '<a href="#" {a}>{body}</a>'
    items: str = '<ul class="dh-list" {g}>{items}</ul>'
    item: str = "<li {a}>{body}</li>"
    table: str = "<table {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    card: str = '<div class="dh-card"><h3>{title}</h3><p>{body}</p><div class="dh-row">{foot}</div></div>'
    modal: str = '<div class="dh-modal" {c}><h3>{title}{x}</h3>{body}<div class="dh-row dh-end">{foot}</div></div>'
    pages: str = '<div class="dh-row" {g}>{items}</div>'
    page: str = '<a href="#" class="{active}" {a}>{body}</a>'
    alert: str = '<div class="dh-alert" {a}>{body}</div>'
    badge: str = '<span class="dh-badge" {a}>{body}</span>'
    bar: str = '<div class="dh-row dh-bar" {g}>{items}</div>'


_BOOTSTRAP = Kit(
    name="bootstrap",
    package="bootstrap@5.3.9",
    css=("dist/css/bootstrap.min.css",),
    dark_root='data-bs-theme="dark"',
    can_be_dark=True,
    button='<button type="button" class="btn {kind}" {a} {off}>{body}</button>',
    button_kinds=(
        "btn-primary",
        "btn-secondary",
        "btn-success",
        "btn-danger",
        "btn-outline-primary",
        "btn-outline-secondary",
        "btn-light",
        "btn-dark",
        "btn-link",
        "btn-primary btn-sm",
        "btn-warning",
        "btn-primary btn-lg",
    ),
    field='<div class="mb-3"><label class="form-label" for="{id}">{label}</label>{control}</div>',
    input='<input id="{id}" class="form-control" {attrs} {a}>',
    textarea='<textarea id="{id}" class="form-control" {attrs} {a}></textarea>',
    select='<select id="{id}" class="form-select" {attrs} {a}>{body}</select>',
    check='<div class="form-check" {a}><input class="form-check-input" type="{type}" id="{id}" {attrs}>'
    '<label class="form-check-label" for="{id}">{label}</label></div>',
    switch='<div class="form-check form-switch" {a}><input class="form-check-input" type="checkbox" id="{id}" {attrs}>'
    '<label class="form-check-label" for="{id}">{label}</label></div>',
    nav='<nav class="navbar navbar-expand bg-body-tertiary px-3"><a class="navbar-brand" href="#" {brand_a}>{brand}</a>'
    '<div class="navbar-nav me-auto" {g}>{items}</div>{end}</nav>',
    nav_item='<a class="nav-link" href="#" {a}>{body}</a>',
    tabs='<ul class="nav nav-tabs mb-2" {g}>{items}</ul>',
    tab='<li class="nav-item"><a class="nav-link {active}" href="#" {a}>{body}</a></li>',
    active="active",
    menu='<div class="dropdown-menu show" style="position:static" {g}>{items}</div>',
    menu_item='<a class="dropdown-item" href="#" {a}>{body}</a>',
    items='<ul class="list-group" {g}>{items}</ul>',
    item='<li class="list-group-item" {a}>{body}</li>',
    table='<table class="table table-hover" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="card"><div class="card-body"><h5 class="card-title">{title}</h5><p class="card-text">{body}</p>'
    '<div class="dh-row">{foot}</div></div></div>',
    modal='<div class="modal-content" {c}><div class="modal-header"><h5 class="modal-title">{title}</h5>{x}</div>'
    '<div class="modal-body">{body}</div><div class="modal-footer">{foot}</div></div>',
    pages='<ul class="pagination" {g}>{items}</ul>',
    page='<li class="page-item {active}"><a class="page-link" href="#" {a}>{body}</a></li>',
    alert='<div class="alert alert-info" {a}>{body}</div>',
    badge='<span class="badge text-bg-secondary" {a}>{body}</span>',
    bar='<div class="btn-toolbar gap-1 p-1 border" {g}>{items}</div>',
)

_BULMA = Kit(
    name="bulma",
    package="bulma@1.0.4",
    css=("css/bulma.min.css",),
    dark_root='data-theme="dark"',
    can_be_dark=True,
    button='<button type="button" class="button {kind}" {a} {off}>{body}</button>',
    button_kinds=(
        "",
        "is-primary",
        "is-link",
        "is-info is-light",
        "is-danger",
        "is-small",
        "is-rounded",
        "is-text",
        "is-dark",
    ),
    field='<div class="field"><label class="label" for="{id}">{label}</label><div class="control">{control}</div></div>',
    input='<input id="{id}" class="input" {attrs} {a}>',
    textarea='<textarea id="{id}" class="textarea" {attrs} {a}></textarea>',
    select='<div class="select"><select id="{id}" {attrs} {a}>{body}</select></div>',
    check='<label class="{type}" {a}><input type="{type}" {attrs}> {label}</label>',
    nav='<nav class="navbar px-3" style="display:flex"><div class="navbar-brand"><b class="navbar-item" {brand_a}>{brand}</b></div>'
    '<div class="dh-row" style="flex:1" {g}>{items}</div>{end}</nav>',
    nav_item='<a class="navbar-item" style="display:flex" href="#" {a}>{body}</a>',
    tabs='<div class="tabs"><ul {g}>{items}</ul></div>',
    tab='<li class="{active}"><a href="#" {a}>{body}</a></li>',
    active="is-active",
    menu='<div class="dropdown-content" {g}>{items}</div>',
    menu_item='<a class="dropdown-item" href="#" {a}>{body}</a>',
    items='<div class="panel" {g}>{items}</div>',
    item='<a class="panel-block" {a}>{body}</a>',
    table='<table class="table is-striped is-fullwidth" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="card"><div class="card-content"><p class="title is-5" data-r="heading">{title}</p><p>{body}</p></div>'
    '<footer class="card-footer p-2 dh-row">{foot}</footer></div>',
    modal='<div class="modal-card" style="width:auto" {c}><header class="modal-card-head"><p class="modal-card-title" data-r="heading">'
    '{title}</p>{x}</header><section class="modal-card-body">{body}</section>'
    '<footer class="modal-card-foot dh-row">{foot}</footer></div>',
    pages='<nav class="pagination"><ul class="pagination-list" {g}>{items}</ul></nav>',
    page='<li><a class="pagination-link {active}" href="#" {a}>{body}</a></li>',
    alert='<div class="notification is-info is-light" {a}>{body}</div>',
    badge='<span class="tag" {a}>{body}</span>',
    bar='<div class="buttons has-addons" {g}>{items}</div>',
)

_SPECTRE = Kit(
    name="spectre",
    package="spectre.css@0.5.9",
    css=("dist/spectre.min.css",),
    button='<button type="button" class="btn {kind}" {a} {off}>{body}</button>',
    button_kinds=("", "btn-primary", "btn-link", "btn-sm", "btn-success", "btn-error", "btn-primary btn-lg"),
    field='<div class="form-group"><label class="form-label" for="{id}">{label}</label>{control}</div>',
    input='<input id="{id}" class="form-input" {attrs} {a}>',
    textarea='<textarea id="{id}" class="form-input" {attrs} {a}></textarea>',
    select='<select id="{id}" class="form-select" {attrs} {a}>{body}</select>',
    check='<label class="form-{type}" {a}><input type="{type}" {attrs}><i class="form-icon" data-x></i> {label}</label>',
    switch='<label class="form-switch" {a}><input type="checkbox" {attrs}><i class="form-icon" data-x></i> {label}</label>',
    nav='<header class="navbar p-2 bg-secondary"><section class="navbar-section" {g}><b {brand_a}>{brand}</b>{items}</section>'
    '<section class="navbar-section">{end}</section></header>',
    nav_item='<a class="btn btn-link" href="#" {a}>{body}</a>',
    tabs='<ul class="tab" {g}>{items}</ul>',
    tab='<li class="tab-item {active}"><a href="#" {a}>{body}</a></li>',
    active="active",
    menu='<ul class="menu" {g}>{items}</ul>',
    menu_item='<li class="menu-item"><a href="#" {a}>{body}</a></li>',
    table='<table class="table table-striped" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="card"><div class="card-header"><div class="card-title h5" data-r="heading">{title}</div></div>'
    '<div class="card-body">{body}</div><div class="card-footer dh-row">{foot}</div></div>',
    modal='<div class="modal-container" {c}><div class="modal-header">{x}<div class="modal-title h5" data-r="heading">{title}</div></div>'
    '<div class="modal-body">{body}</div><div class="modal-footer">{foot}</div></div>',
    pages='<ul class="pagination" {g}>{items}</ul>',
    page='<li class="page-item {active}"><a href="#" {a}>{body}</a></li>',
    alert='<div class="toast toast-primary" {a}>{body}</div>',
    badge='<span class="label label-rounded" {a}>{body}</span>',
    bar='<div class="btn-group" {g}>{items}</div>',
)

_FOMANTIC = Kit(
    name="fomantic",
    package="fomantic-ui-css@2.9.4",
    css=("semantic.min.css",),
    button='<button type="button" class="ui button {kind}" {a} {off}>{body}</button>',
    button_kinds=("", "primary", "secondary", "basic", "red", "green basic", "small", "large teal", "blue", "circular"),
    field='<div class="ui form" style="margin-bottom:1em"><div class="field"><label for="{id}">{label}</label>{control}</div></div>',
    input='<input id="{id}" {attrs} {a}>',
    textarea='<textarea id="{id}" {attrs} {a}></textarea>',
    select='<select id="{id}" class="ui dropdown" {attrs} {a}>{body}</select>',
    check='<div class="ui checkbox {type}" {a}><input type="{type}" id="{id}" {attrs}><label data-x for="{id}">{label}</label></div><br>',
    switch='<div class="ui toggle checkbox" {a}><input type="checkbox" id="{id}" {attrs}><label data-x for="{id}">{label}</label></div><br>',
    nav='<div class="ui menu {tone}" {g}><div class="header item" {brand_a}>{brand}</div>{items}<div class="right item">{end}</div></div>',
    nav_item='<a class="item" href="#" {a}>{body}</a>',
    tabs='<div class="ui pointing secondary menu" {g}>{items}</div>',
    tab='<a class="item {active}" href="#" {a}>{body}</a>',
    active="active",
    menu='<div class="ui vertical menu" {g}>{items}</div>',
    menu_item='<a class="item" href="#" {a}>{body}</a>',
    items='<div class="ui divided selection list" {g}>{items}</div>',
    item='<a class="item" {a}>{body}</a>',
    table='<table class="ui celled table" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="ui card" style="margin:0"><div class="content"><div class="header" data-r="heading">{title}</div>'
    '<div class="description">{body}</div></div><div class="extra content dh-row">{foot}</div></div>',
    modal='<div class="ui segment" {c}><h3 class="ui header">{title}{x}</h3>{body}<div class="dh-row dh-end">{foot}</div></div>',
    pages='<div class="ui pagination menu" {g}>{items}</div>',
    page='<a class="item {active}" href="#" {a}>{body}</a>',
    alert='<div class="ui message" {a}>{body}</div>',
    badge='<div class="ui label" {a}>{body}</div>',
    bar='<div class="ui icon buttons" {g}>{items}</div>',
)

_PURE = Kit(
    name="pure",
    package="purecss@3.1.0",
    css=("build/pure-min.css",),
    button='<button type="button" class="pure-button {kind}" {a} {off}>{body}</button>',
    button_kinds=("", "pure-button-primary", "pure-button-active"),
    field='<div class="pure-form pure-form-stacked"><label for="{id}">{label}</label>{control}</div>',
    check='<label class="pure-{type}" {a}><input type="{type}" {attrs}> {label}</label>',
    nav='<div class="pure-menu pure-menu-horizontal"><a class="pure-menu-heading" {brand_a}>{brand}</a>'
    '<ul class="pure-menu-list" {g}>{items}</ul>{end}</div>',
    nav_item='<li class="pure-menu-item"><a class="pure-menu-link" href="#" {a}>{body}</a></li>',
    menu='<ul class="pure-menu-list dh-menu" {g}>{items}</ul>',
    menu_item='<li class="pure-menu-item"><a class="pure-menu-link" href="#" {a}>{body}</a></li>',
    table='<table class="pure-table pure-table-bordered" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
)

_TAGS = (
    Kit(
        name="pico",
        package="@picocss/pico@2.1.1",
        css=("css/pico.min.css",),
        dark_root='data-theme="dark"',
        can_be_dark=True,
        button='<button type="button" class="{kind}" style="width:auto" {a} {off}>{body}</button>',
        button_kinds=("", "secondary", "contrast", "outline", "outline secondary"),
        switch='<label {a}><input type="checkbox" role="switch" {attrs}> {label}</label>',
        nav='<nav style="padding:0 1rem"><ul><li><strong {brand_a}>{brand}</strong></li></ul><ul {g}>{items}</ul>'
        "<ul><li>{end}</li></ul></nav>",
        nav_item='<li><a href="#" {a}>{body}</a></li>',
        card="<article><header data-r='heading'>{title}</header>{body}<footer class='dh-row'>{foot}</footer></article>",
        modal="<article {c}><header data-r='heading'>{title}{x}</header>{body}<footer class='dh-row dh-end'>{foot}</footer></article>",
        bar='<div role="group" {g}>{items}</div>',
    ),
    Kit(
        name="water",
        package="water.css@2.1.1",
        css=("out/light.min.css",),
        dark_css=("out/dark.min.css",),
        can_be_dark=True,
    ),
    Kit(name="simple", package="simpledotcss@2.3.7", css=("simple.min.css",), can_be_dark=True),
    Kit(
        name="milligram",
        package="milligram@1.4.1",
        css=("dist/milligram.min.css",),
        button='<button type="button" class="button {kind}" {a} {off}>{body}</button>',
        button_kinds=("", "button-outline", "button-clear"),
        check='<div {a}><input type="{type}" id="{id}" {attrs}> <label class="label-inline" for="{id}">{label}</label></div>',
    ),
    Kit(
        name="plain",
        can_be_dark=True,
        button_kinds=("dh-primary", "dh-second", "dh-ghost"),
        button='<button type="button" class="{kind}" {a} {off}>{body}</button>',
        switch='<label class="dh-switch" {a}><input type="checkbox" {attrs}><i data-x></i> {label}</label>',
    ),
    Kit(name="bare", can_be_dark=True),
)

_MATERIALIZE = Kit(
    name="materialize",
    package="materialize-css@1.0.0",
    css=("dist/css/materialize.min.css",),
    button='<a class="waves-effect {kind}" href="#" {a} {off}>{body}</a>',
    button_kinds=(
        "btn",
        "btn-flat",
        "btn red",
        "btn-small",
        "btn-large",
        "btn blue darken-1",
        "btn grey lighten-2 black-text",
    ),
    icon_button='<a class="btn-flat" style="padding:0 10px" href="#" {a}>{body}</a>',
    field='<div class="input-field" style="margin-top:2rem"><label class="active" for="{id}">{label}</label>{control}</div>',
    textarea='<textarea id="{id}" class="materialize-textarea" {attrs} {a}></textarea>',
    select='<select id="{id}" class="browser-default" style="margin-top:12px" {attrs} {a}>{body}</select>',
    check='<p><label {a}><input type="{type}" {attrs}><span data-x>{label}</span></label></p>',
    switch='<p class="switch"><label {a}><input type="checkbox" {attrs}><span class="lever" data-x style="margin-left:0"></span>{label}</label></p>',
    nav='<nav><div class="nav-wrapper" style="padding:0 12px;display:flex"><b style="margin-right:12px" {brand_a}>{brand}</b>'
    '<ul {g}>{items}</ul><span style="flex:1"></span>{end}</div></nav>',
    nav_item='<li><a href="#" {a}>{body}</a></li>',
    tabs='<ul class="tabs" {g}>{items}</ul>',
    tab='<li class="tab"><a href="#" class="{active}" {a}>{body}</a></li>',
    active="active",
    menu='<ul class="dropdown-content" style="display:block;opacity:1;position:static" {g}>{items}</ul>',
    menu_item='<li><a href="#" {a}>{body}</a></li>',
    items='<div class="collection" {g}>{items}</div>',
    item='<a href="#" class="collection-item" {a}>{body}</a>',
    table='<table class="striped" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="card"><div class="card-content"><span class="card-title" data-r="heading">{title}</span><p>{body}</p></div>'
    '<div class="card-action dh-row">{foot}</div></div>',
    modal='<div class="modal-content white z-depth-3" style="padding:24px" {c}><h5>{title}{x}</h5>{body}'
    '<div class="dh-row dh-end">{foot}</div></div>',
    pages='<ul class="pagination" {g}>{items}</ul>',
    page='<li class="{active}"><a href="#" {a}>{body}</a></li>',
    alert='<div class="card-panel teal lighten-4" {a}>{body}</div>',
    badge='<span class="chip" {a}>{body}</span>',
)

_FOUNDATION = Kit(
    name="foundation",
    package="foundation-sites@6.9.0",
    css=("dist/css/foundation.min.css",),
    button='<button type="button" class="button {kind}" style="margin:0" {a} {off}>{body}</button>',
    button_kinds=("", "secondary", "success", "alert", "hollow", "clear", "small", "hollow secondary", "warning"),
    field='<label for="{id}">{label}</label>{control}',
    check='<div {a}><input type="{type}" id="{id}" {attrs}><label for="{id}">{label}</label></div>',
    nav='<div class="top-bar"><div class="top-bar-left"><ul class="menu" {g}><li class="menu-text" {brand_a}>{brand}</li>{items}</ul></div>'
    '<div class="top-bar-right">{end}</div></div>',
    nav_item='<li><a href="#" {a}>{body}</a></li>',
    tabs='<ul class="tabs" {g}>{items}</ul>',
    tab='<li class="tabs-title {active}"><a href="#" {a}>{body}</a></li>',
    active="is-active",
    menu='<ul class="menu vertical" style="border:1px solid #cacaca;background:#fefefe" {g}>{items}</ul>',
    menu_item='<li><a href="#" {a}>{body}</a></li>',
    table='<table class="hover" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="card"><div class="card-divider" data-r="heading">{title}</div><div class="card-section"><p>{body}</p>'
    '<div class="dh-row">{foot}</div></div></div>',
    modal='<div class="callout" {c}><h4>{title}{x}</h4>{body}<div class="dh-row dh-end">{foot}</div></div>',
    pages='<ul class="pagination" {g}>{items}</ul>',
    page='<li><a href="#" {a}>{body}</a></li>',
    alert='<div class="callout primary" {a}>{body}</div>',
    badge='<span class="label" {a}>{body}</span>',
    bar='<div class="button-group" {g}>{items}</div>',
)

_UIKIT = Kit(
    name="uikit",
    package="uikit@3.25.29",
    css=("dist/css/uikit.min.css",),
    button='<button type="button" class="uk-button {kind}" {a} {off}>{body}</button>',
    button_kinds=(
        "uk-button-default",
        "uk-button-primary",
        "uk-button-secondary",
        "uk-button-danger",
        "uk-button-text",
    ),
    icon_button='<a class="uk-icon-button" href="#" {a}>{body}</a>',
    field='<div class="uk-margin"><label class="uk-form-label" for="{id}">{label}</label><div>{control}</div></div>',
    input='<input id="{id}" class="uk-input" {attrs} {a}>',
    textarea='<textarea id="{id}" class="uk-textarea" {attrs} {a}></textarea>',
    select='<select id="{id}" class="uk-select" {attrs} {a}>{body}</select>',
    check='<div><label {a}><input class="uk-{type}" type="{type}" {attrs}> {label}</label></div>',
    nav='<nav class="uk-navbar-container" style="display:flex;align-items:center;padding:0 15px"><b class="uk-logo" {brand_a}>{brand}</b>'
    '<ul class="uk-navbar-nav" style="flex:1" {g}>{items}</ul>{end}</nav>',
    nav_item='<li><a href="#" {a}>{body}</a></li>',
    tabs='<ul class="uk-tab" {g}>{items}</ul>',
    tab='<li class="{active}"><a href="#" {a}>{body}</a></li>',
    active="uk-active",
    menu='<div class="uk-card uk-card-default uk-card-small uk-card-body"><ul class="uk-nav uk-dropdown-nav" {g}>{items}</ul></div>',
    menu_item='<li><a href="#" {a}>{body}</a></li>',
    items='<ul class="uk-list uk-list-divider" {g}>{items}</ul>',
    table='<table class="uk-table uk-table-divider" {g}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>',
    card='<div class="uk-card uk-card-default uk-card-body uk-card-small"><h3 class="uk-card-title">{title}</h3><p>{body}</p>'
    '<div class="dh-row">{foot}</div></div>',
    modal='<div class="uk-card uk-card-default" {c}><div class="uk-modal-header"><h2 class="uk-modal-title">{title}{x}</h2></div>'
    '<div class="uk-modal-body">{body}</div><div class="uk-modal-footer dh-row dh-end">{foot}</div></div>',
    pages='<ul class="uk-pagination" {g}>{items}</ul>',
    page='<li class="{active}"><a href="#" {a}>{body}</a></li>',
    alert='<div class="uk-alert-primary uk-alert" {a}>{body}</div>',
    badge='<span class="uk-badge" {a}>{body}</span>',
)

_ALL = (_BOOTSTRAP, _BULMA, _SPECTRE, _FOMANTIC, _PURE, *_TAGS, _MATERIALIZE, _FOUNDATION, _UIKIT)


def kits(split: Split) -> list[Kit]:
    """List the frameworks that pages of a split may use."""
    allowed = TEST_FRAMEWORKS if split == "test" else TRAIN_FRAMEWORKS
    return [kit for kit in _ALL if kit.name in allowed]
