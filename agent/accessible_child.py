"""Say what programs tell screen readers: the element at a place, and the one that has the focus.

Run by the system's Python, which has Atspi, with nothing of this package (Debian: python3-gi gir1.2-atspi-2.0).
A line of JSON comes in, a line goes out: ``{"do": "at", "id": 1, "x": …, "y": …, "pid": …, "title": …, "window":
[left, top, right, bottom]}`` and ``{"do": "focus", "id": 2}`` are answered with ``{"id": …, "found": …}``; a line
without an id tells of a focus that has moved. What is written in fields is never read.
"""

import json
import os
import sys
import time
from typing import Any, NamedTuple

CALL_LIMIT_MS, START_LIMIT_MS = 400, 1500
LIMIT_S = 1.0
MAX_CHILDREN, MAX_DEPTH, MAX_CHARS = 300, 60, 120
BUS, BUS_PATH, STATUS = "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Status"

OPENERS = {"menu", "menu item", "menu bar", "combo box", "popup menu"}
"""What they open lies outside of them."""
FIELDS = {"text", "entry", "password text", "spin button", "combo box"}
CONTROLS = FIELDS | {
    *("push button", "button", "toggle button", "check box", "radio button", "menu", "menu item", "check menu item"),
    *("radio menu item", "page tab", "list item", "tree item", "table cell", "link", "slider", "switch", "icon"),
    *("table column header", "column header", "push button menu"),
}


class Box(NamedTuple):
    """A rectangle; the right and the bottom edge are not part of it."""

    left: float
    top: float
    right: float
    bottom: float

    def has(self, x: float, y: float) -> bool:
        """Say whether a place lies inside."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    @property
    def area(self) -> float:
        """How large it is."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)


class Mapping(NamedTuple):
    """Pixels of the screen = places as a program tells them × ``scale`` + ``x``, ``y``."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def px(self, box: Box) -> list[int]:
        """Return a program's box in pixels of the screen."""
        edges = zip(box, (self.x, self.y, self.x, self.y), strict=True)
        return [round(edge * self.scale + offset) for edge, offset in edges]


class Tree:
    """Looks things up; ``atspi`` is the module of that name, ``failed`` what its calls raise."""

    def __init__(self, atspi: Any, failed: type[Exception]) -> None:
        self._atspi = atspi
        self._failed = failed
        self._end_s = 0.0
        self._scales: dict[int, float] = {}
        self._focus: Any = None

    def at(self, x: int, y: int, pid: int, title: str, window: Box) -> dict[str, Any] | None:
        """Return what lies under a pixel, in the program of that process or else in the active windows."""
        self._end_s = time.monotonic() + LIMIT_S
        tops = [top for app in self._applications(pid) for top in self._children(app) if self._is(top, "SHOWING")]
        if not pid:
            tops = [top for top in tops if self._is(top, "ACTIVE")]
        # The window at the pixel first: of two in one program, one may cover the other.
        tops.sort(key=lambda top: (self._name(top) == title) + _likeness(self._box(top), window), reverse=True)
        for top in tops:
            mapping = self._mapping(self._box(top), window, pid)
            found = self._deepest(top, (x - mapping.x) / mapping.scale, (y - mapping.y) / mapping.scale)
            if found is not None:
                return self._describe(self._control(found[0]), mapping, top)
        return None

    def focused(self) -> dict[str, Any] | None:
        """Return what has the focus."""
        self._end_s = time.monotonic() + LIMIT_S
        if self._focus is None or not self._is(self._focus, "FOCUSED"):
            tops = [top for app in self._applications(0) for top in self._children(app) if self._is(top, "ACTIVE")]
            found = (self._focused_in(top) for top in tops)
            self._focus = next((node for node in found if node is not None), None)
        return None if self._focus is None else self._describe(self._focus, Mapping(), self._top(self._focus))

    def moved(self, node: Any) -> dict[str, Any] | None:
        """Take what has just got the focus; return it where it is what is typed into now."""
        top = self._top(node)
        if not self._is(top, "ACTIVE") or not (self._role(node) in FIELDS or self._is(node, "EDITABLE")):
            return None
        self._focus = node
        return self._describe(node, Mapping(), top)

    def _deepest(self, node: Any, x: float, y: float, depth: int = 0) -> tuple[Any, bool] | None:
        """Return the innermost node at a place, and whether it is in something that was opened over the rest."""
        best: tuple[Any, bool] | None = None
        for child in self._children(node, (x, y)):
            if depth > MAX_DEPTH or time.monotonic() > self._end_s:
                break
            if not self._is(child, "SHOWING"):
                continue
            box, opens = self._box(child), self._role(child) in OPENERS
            inside = box.has(x, y)
            if not inside and not opens and box.area > 0:
                continue
            found = self._deepest(child, x, y, depth + 1)
            if found is None and inside:
                found = (child, False)
            elif found is not None and opens and not inside:
                found = (found[0], True)
            # What comes later is painted over what came before.
            if found is not None and (best is None or found[1] or not best[1]):
                best = found
        return best

    def _control(self, node: Any) -> Any:
        """Return the control that a node is a part of: the button around a picture."""
        around = node
        for _ in range(3):
            if around is None or self._role(around) in CONTROLS:
                break
            around = self._parent(around)
        return around if around is not None and self._role(around) in CONTROLS else node

    def _focused_in(self, node: Any, depth: int = 0) -> Any:
        for child in self._children(node):
            if depth > MAX_DEPTH or time.monotonic() > self._end_s:
                return None
            if not self._is(child, "SHOWING"):
                continue
            if self._is(child, "FOCUSED"):
                return self._focused_in(child, depth + 1) or child
            found = self._focused_in(child, depth + 1)
            if found is not None:
                return found
        return None

    def _top(self, node: Any) -> Any:
        """Return the window that a node is in."""
        for _ in range(MAX_DEPTH):
            parent = self._parent(node)
            if parent is None or self._role(parent) == "application":
                break
            node = parent
        return node

    def _describe(self, node: Any, mapping: Mapping, top: Any) -> dict[str, Any] | None:
        try:
            role = self._role(node)
            name = self._name(node) or self._label(node)
            if role in FIELDS:
                # A field without a label of its own says in grey what belongs into it, or has text beside it.
                name = name or (node.get_attributes() or {}).get("placeholder-text", "") or self._beside(node)
            name = name or node.get_description() or ""
            box, window = mapping.px(self._box(node)), self._name(top)
            return {"role": role, "name": name[:MAX_CHARS], "box": box, "window": window}
        except self._failed:
            return None  # it went away while it was asked

    def _label(self, node: Any) -> str:
        for relation in node.get_relation_set():
            if relation.get_relation_type() == self._atspi.RelationType.LABELLED_BY and relation.get_n_targets():
                label = relation.get_target(0)
                return "" if label is None else label.get_name() or ""
        return ""

    def _beside(self, node: Any) -> str:
        """Return the text left of a field on its row, or close above it."""
        parent, box = self._parent(node), self._box(node)
        if parent is None:
            return ""
        near: list[tuple[float, str]] = []
        for other in self._children(parent):
            if self._role(other) not in ("label", "static") or not self._is(other, "SHOWING"):
                continue
            place, high = self._box(other), box.bottom - box.top
            on_row = abs((place.top + place.bottom) - (box.top + box.bottom)) < high and place.right <= box.left + 4
            above = place.bottom <= box.top + 4 and abs(place.left - box.left) < 2 * high
            gap = box.left - place.right if on_row else box.top - place.bottom
            if (on_row and gap < 8 * high) or (above and gap < 1.5 * high):
                near.append((gap, self._name(other)))
        return min(near)[1] if near else ""

    def _mapping(self, told: Box, window: Box, pid: int) -> Mapping:
        """Fit what a program says of its window to where the window is: some tell no pixels, some no screen."""
        if told.area <= 0 or window.area <= 0:
            return Mapping()
        wide = (window.right - window.left) / (told.right - told.left)
        high = (window.bottom - window.top) / (told.bottom - told.top)
        if 0.85 < wide < 1.15 and 0.85 < high < 1.15:
            if abs(told.left - window.left) < 80 and abs(told.top - window.top) < 80:
                return Mapping()
            return Mapping(1.0, window.left - told.left, window.top - told.top)
        if 1.2 < wide < 4.2 and abs(wide / high - 1) < 0.1:
            self._scales[pid] = wide
            return Mapping(wide, window.left - told.left * wide, window.top - told.top * wide)
        return Mapping(self._scales.get(pid, 1.0))

    def _applications(self, pid: int) -> list[Any]:
        found = self._children(self._atspi.get_desktop(0))
        ours = [app for app in found if pid and self._pid(app) == pid]
        return ours or ([] if pid else found)

    def _children(self, node: Any, at: tuple[float, float] | None = None) -> list[Any]:
        """Return a node's children; of very many only the one ``at`` a place."""
        try:
            self._forget(node)
            count = node.get_child_count()
            if count > MAX_CHILDREN and at is not None:
                surface = node.get_component_iface()
                x, y = (round(part) for part in at)
                found = surface and surface.get_accessible_at_point(x, y, self._atspi.CoordType.SCREEN)
                return [] if found is None or found == node else [found]
            children = [node.get_child_at_index(number) for number in range(min(count, MAX_CHILDREN))]
        except self._failed:
            return []
        return [child for child in children if child is not None]

    def _forget(self, node: Any) -> None:
        """Ask anew: what is kept of a node may be older than what shows."""
        getattr(node, "clear_cache_single", node.clear_cache)()

    def _is(self, node: Any, state: str) -> bool:
        try:
            self._forget(node)
            return node.get_state_set().contains(getattr(self._atspi.StateType, state))
        except self._failed:
            return False

    def _box(self, node: Any) -> Box:
        try:
            surface = node.get_component_iface()
            if surface is None:
                return Box(0, 0, 0, 0)
            place = surface.get_extents(self._atspi.CoordType.SCREEN)
        except self._failed:
            return Box(0, 0, 0, 0)
        return Box(place.x, place.y, place.x + place.width, place.y + place.height)

    def _role(self, node: Any) -> str:
        try:
            return node.get_role_name() or ""
        except self._failed:
            return ""

    def _name(self, node: Any) -> str:
        try:
            return node.get_name() or ""
        except self._failed:
            return ""

    def _parent(self, node: Any) -> Any:
        try:
            return node.get_parent()
        except self._failed:
            return None

    def _pid(self, app: Any) -> int:
        try:
            return app.get_process_id()
        except self._failed:
            return 0


def _likeness(one: Box, other: Box) -> float:
    """Return how much two boxes share, 0 to 1."""
    shared = Box(
        max(one.left, other.left), max(one.top, other.top), min(one.right, other.right), min(one.bottom, other.bottom)
    )
    together = one.area + other.area - (shared.area if shared.right > shared.left else 0.0)
    return shared.area / together if together > 0 and shared.right > shared.left else 0.0


def answer(tree: Tree, request: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    if request["do"] == "at":
        found = tree.at(request["x"], request["y"], request["pid"], request["title"], Box(*request["window"]))
    else:
        found = tree.focused()
    return {"id": request["id"], "found": found}


def answer_line(tree: Tree, line: bytes) -> dict[str, Any]:
    """Answer one line of input; where a program's tree is not as it should be, nothing is found."""
    number = None
    try:
        request = json.loads(line)
        number = request["id"]
        return answer(tree, request)
    except Exception:  # noqa: BLE001 - the border to foreign programs: whatever one node does, the next is answered
        return {"id": number, "found": None}


def say(facts: dict[str, Any]) -> None:
    """Write one line."""
    print(json.dumps(facts), flush=True)


def main() -> int:
    """Serve until standard input ends; 3 says that there is nothing to serve with."""
    try:
        import gi  # type: ignore[import-not-found] - the system's Python has it, ours need not

        gi.require_version("Atspi", "2.0")
        from gi.repository import Atspi, Gio, GLib  # type: ignore[import-not-found] - as above
    except (ImportError, ValueError):
        return 3
    try:
        bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)

        def status(method: str, *values: Any) -> Any:
            form = {"Get": "(ss)", "Set": "(ssv)"}[method]
            asked = GLib.Variant(form, (STATUS, "IsEnabled", *values))
            place = (BUS, BUS_PATH, "org.freedesktop.DBus.Properties", method, asked)
            return bus.call_sync(*place, None, Gio.DBusCallFlags.NONE, START_LIMIT_MS, None)

        was_on = bool(status("Get").unpack()[0])
        if Atspi.init() not in (0, 1):
            return 3
    except GLib.Error:
        return 3
    Atspi.set_timeout(CALL_LIMIT_MS, START_LIMIT_MS)
    tree, loop = Tree(Atspi, GLib.Error), GLib.MainLoop()
    rest = b""

    def heard(_channel: int, _condition: Any) -> bool:
        nonlocal rest
        chunk = os.read(0, 65536)
        *lines, rest = (rest + chunk).split(b"\n")
        try:
            for line in lines:
                say(answer_line(tree, line))
        except OSError:
            chunk = b""  # nobody listens any more
        if not chunk:
            loop.quit()
        return bool(chunk)

    def focus_moved(event: Any) -> None:
        found = tree.moved(event.source) if event.detail1 else None
        if found is not None:
            say({"found": found})

    listener = Atspi.EventListener.new(focus_moved)
    listener.register("object:state-changed:focused")
    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, heard)
    try:
        if not was_on:
            # Many programs tell nothing until somebody wants to know.
            status("Set", GLib.Variant("b", True))
        say({"ready": True})
        loop.run()
    finally:
        if not was_on:
            status("Set", GLib.Variant("b", False))
        listener.deregister("object:state-changed:focused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
