"""Answer questions about the accessibility tree of a desktop; run by the system's Python, which has Atspi.

A line of JSON comes in on standard input, a line goes out: ``{"do": "tree"}`` lists what shows, ``{"do": "act",
"id": n, "action": k}`` performs an action of a node of the last list, ``{"do": "start", "command": [...]}`` starts a
program. Nothing of this package is imported here, since python3-gi belongs to the system's interpreter.
Debian: python3-gi gir1.2-atspi-2.0 at-spi2-core.
"""

import json
import subprocess
import sys
from typing import Any

import gi  # type: ignore[import-not-found] - Debian's

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # type: ignore[import-not-found] # noqa: E402 - after the version

MAX_NODES = 2500
MAX_CHILDREN = 300
STATES = ("SHOWING", "VISIBLE", "ENABLED", "SENSITIVE", "FOCUSABLE", "CHECKED", "SELECTED", "ACTIVE", "EDITABLE")


def main() -> None:
    """Serve until standard input ends."""
    Atspi.init()
    nodes: list[Any] = []
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "tree":
                nodes = []
                answer: Any = tree(nodes, set(request.get("skip", ())))
            elif request["do"] == "start":
                # On this session's bus; its output would mix with the answers.
                silent = subprocess.DEVNULL
                subprocess.Popen(request["command"], stdin=silent, stdout=silent, stderr=silent)
                answer = True
            else:
                answer = act(nodes[request["id"]], request["action"])
        except GLib.Error as error:
            answer = {"error": str(error)}
        # The bus and what it starts write to the same pipe; this key tells the answers from their lines.
        print(json.dumps({"answer": answer}), flush=True)


def tree(nodes: list[Any], skip: set[str]) -> list[dict[str, Any]]:
    """List the showing nodes of all applications, parents before children; ``nodes`` keeps the objects."""
    desktop = Atspi.get_desktop(0)
    found: list[dict[str, Any]] = []
    for number in range(desktop.get_child_count()):
        application = desktop.get_child_at_index(number)
        if application is None or (application.get_name() or "") in skip:
            continue
        application.clear_cache()
        for index in range(application.get_child_count()):
            window = application.get_child_at_index(index)
            if window is not None:
                walk(window, -1, found, nodes)
    return found


def walk(node: Any, parent: int, found: list[dict[str, Any]], nodes: list[Any]) -> None:
    """Append ``node`` and what shows below it."""
    if len(found) >= MAX_NODES:
        return
    try:
        node.clear_cache()
        states = node.get_state_set()
        names = [name for name in STATES if states.contains(getattr(Atspi.StateType, name))]
        if parent >= 0 and "SHOWING" not in names:
            return
        record = describe(node, parent, names)
        children = min(node.get_child_count(), MAX_CHILDREN)
    except GLib.Error:
        # The node went away while it was asked.
        return
    record["id"] = len(found)
    found.append(record)
    nodes.append(node)
    for index in range(children):
        try:
            child = node.get_child_at_index(index)
        except GLib.Error:
            continue
        if child is not None:
            walk(child, record["id"], found, nodes)


def describe(node: Any, parent: int, states: list[str]) -> dict[str, Any]:
    """Describe one node as plain data; extents are x, y, width, height on the screen."""
    box = [0, 0, 0, 0]
    component = node.get_component_iface()
    if component is not None:
        extents = component.get_extents(Atspi.CoordType.SCREEN)
        box = [extents.x, extents.y, extents.width, extents.height]
    text = ""
    reader = node.get_text_iface()
    if reader is not None:
        text = Atspi.Text.get_text(reader, 0, min(200, Atspi.Text.get_character_count(reader)))
    captions = [
        relation.get_target(0).get_name() or ""
        for relation in node.get_relation_set()
        if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY and relation.get_n_targets() > 0
    ]
    return {
        "parent": parent,
        "role": node.get_role_name(),
        "name": node.get_name() or "",
        "text": text,
        "label": captions[0] if captions else "",
        "states": states,
        "box": box,
    }


def act(node: Any, action: int) -> bool:
    """Perform an action of a node; say whether there was one."""
    actions = node.get_action_iface()
    return actions is not None and bool(Atspi.Action.do_action(actions, action))


if __name__ == "__main__":
    main()
