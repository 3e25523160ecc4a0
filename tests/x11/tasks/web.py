"""Tasks on pages in Chromium; a page tells the local site what has become of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.x11.tasks.programs import chromium
from tests.x11.tasks.task import Desk, Judge, Task

PASSWORD_VARIABLE = "LIBRARY_PASSWORD"
PASSWORD = "Kr4ken&tide"


def page(name: str, window: str, wanted: Any, *, bare: bool = False, width_px: int = 1180):  # noqa: ANN201
    """Judge a page by the last that it told of itself."""

    @contextmanager
    def stage(desk: Desk) -> Iterator[Judge]:
        file = f"{name}.html"
        desk.site.forget(file)
        os.environ[PASSWORD_VARIABLE] = PASSWORD
        try:
            with chromium(desk.site.url(file), desk, window, bare=bare, width_px=width_px):
                yield lambda: _differs(desk.site.told(file), wanted)
        finally:
            os.environ.pop(PASSWORD_VARIABLE, None)

    return stage


def _differs(told: list[Any], wanted: Any) -> str:
    if not told:
        return "the page has told nothing"
    last = told[-1]
    if isinstance(wanted, dict) and isinstance(last, dict):
        right = all(last.get(key) == value for key, value in wanted.items())
    else:
        right = last == wanted
    return "" if right else f"the page says {last}"


TASKS_DONE = [["Buy milk", True], ["Call the plumber", False], ["Water the plants", True], ["Book the train", False]]
PREFERENCES = {"weekly": True, "mentions": True, "sounds": False, "online": True, "reports": True}
TASKS = (
    Task("web_login", "Chromium", page("login", "library", {"user": "ada.lovelace", "password": PASSWORD})),
    Task("web_todo", "Chromium", page("todo", "tasks", TASKS_DONE, bare=True, width_px=900)),
    Task("web_preferences", "Chromium", page("preferences", "Preferences", PREFERENCES)),
    Task(
        "web_shipping",
        "Chromium",
        page("shipping", "Delivery", {"method": "express", "country": "Denmark"}, bare=True, width_px=800),
    ),
    Task("web_dialog", "Chromium", page("album", "album", {"title": "Lisbon 2026"})),
    Task(
        "web_tabs",
        "Chromium",
        page(
            "account", "Account", {"company": "Analytical Engines Ltd", "vat": "GB123456789"}, bare=True, width_px=1000
        ),
    ),
    Task("web_menu", "Chromium", page("editor", "Sketch", ["Duplicate", "Rotate right"], bare=True)),
    Task("web_scroll", "Chromium", page("terms", "Terms", {"accepted": True})),
    Task("web_wait", "Chromium", page("import", "Import", {"viewed": True}, bare=True, width_px=860)),
    Task("web_search", "Chromium", page("search", "Recipes", {"query": "soup", "opened": "Onion soup"})),
    Task("web_slider", "Chromium", page("player", "Radio", {"volume": 100}, bare=True, width_px=900)),
)
