"""The clipboard of an X server: read all of it, offer a content, answer those who paste.

On X11 the clipboard is not a place but a program that answers questions, so a content lives as long
as its owner does. Protocol: ICCCM section 2, with transfers in pieces (INCR) both ways.
"""

import select
import struct
import time
from dataclasses import dataclass
from typing import Any

import xcffib
import xcffib.xproto as xp

from agent.errors import HandsError
from agent.x11.connection import XConnection

CLIPBOARD = "CLIPBOARD"
MAX_CONTENT_BYTES = 256 << 20
_PROPERTY = "_DESKHAND_SELECTION"
_QUESTIONS = ("TARGETS", "TIMESTAMP", "MULTIPLE", "SAVE_TARGETS", "DELETE", "INSERT_SELECTION", "INSERT_PROPERTY")
_NO_EVENT_S = 1.0
_WITHDRAW_QUIET_S = 0.05


@dataclass(frozen=True, slots=True)
class Item:
    """One form of a content: its property type, its format in bits, its bytes."""

    type: str
    format_bits: int
    data: bytes


Content = dict[str, Item]
"""A clipboard's content in all forms that its owner offers, by target name."""


def text_content(text: str) -> Content:
    """Return a text in the forms that programs ask for, marked as nothing for a clipboard history."""
    utf8 = text.encode()
    content = {name: Item(name, 8, utf8) for name in ("text/plain;charset=utf-8", "text/plain")}
    content["UTF8_STRING"] = content["TEXT"] = Item("UTF8_STRING", 8, utf8)
    if all(ord(char) <= 0xFF for char in text):
        content["STRING"] = Item("STRING", 8, text.encode("latin-1"))
    content["x-kde-passwordManagerHint"] = Item("x-kde-passwordManagerHint", 8, b"secret")
    return content


class Selection:
    """A connection of its own that reads the clipboard and can own it."""

    def __init__(self, display: str, piece_bytes: int = 1 << 18) -> None:
        self._x = XConnection(display)
        self._window = self._x.hidden_window(xp.EventMask.PropertyChange)
        self._piece_bytes = piece_bytes
        self._content: Content = {}
        self._time = 0
        self._owned = False
        self._sending: dict[tuple[int, int], tuple[Item, int]] = {}
        self._answered: list[int] = []

    @property
    def owned(self) -> bool:
        """Say whether the clipboard is ours, as far as we have heard."""
        return self._owned

    @property
    def answered(self) -> tuple[int, ...]:
        """The windows that have asked for the content and got all of it, since we own the clipboard."""
        return tuple(self._answered)

    def close(self) -> None:
        """Close the connection; a content that is offered is gone with it."""
        self._x.close()

    def read(self, limit_s: float) -> Content | None:
        """Return the whole clipboard, or None if nobody owns it.

        Raises HandsError when the owner does not hand all of it over in time.
        """
        if self._x.core.GetSelectionOwner(self._x.atom(CLIPBOARD)).reply().owner == 0:
            return None
        end = time.monotonic() + limit_s
        targets = self._convert("TARGETS", end)
        if targets is None:
            raise HandsError("the clipboard's owner does not say what it holds")
        content: Content = {}
        for atom in struct.unpack(f"={len(targets.data) // 4}I", targets.data):
            name = self._x.atom_name(atom)
            if name not in _QUESTIONS and name not in content:
                item = self._convert(name, end)
                if item is not None:
                    content[name] = item
        return content

    def offer(self, content: Content) -> None:
        """Take the clipboard over with a content. Raises HandsError if the server does not let us."""
        self._content, self._answered = content, []
        self._time = self._server_time()
        clipboard = self._x.atom(CLIPBOARD)
        self._x.core.SetSelectionOwner(self._window, clipboard, self._time)
        self._owned = self._x.core.GetSelectionOwner(clipboard).reply().owner == self._window
        if not self._owned:
            raise HandsError("the clipboard cannot be taken over")

    def give_up(self) -> None:
        """Leave the clipboard without an owner, if it is still ours."""
        if self._owned:
            self._x.core.SetSelectionOwner(0, self._x.atom(CLIPBOARD), self._time)
            self._x.sync()
            self._owned = False

    def withdraw(self) -> None:
        """Refuse what was asked and is not answered yet, so that nobody waits for it in vain."""
        self._content = {}
        end = time.monotonic() + _NO_EVENT_S
        while self.serve(_WITHDRAW_QUIET_S) and time.monotonic() < end:
            pass

    def serve(self, seconds: float) -> bool:
        """Answer at most one question; return whether there was anything to do within the time."""
        event = self._next_event(time.monotonic() + seconds)
        if isinstance(event, xp.SelectionRequestEvent):
            self._answer(event)
        elif isinstance(event, xp.SelectionClearEvent):
            self._owned = False
        elif isinstance(event, xp.PropertyNotifyEvent) and event.state == xp.Property.Delete:
            self._send_piece(event.window, event.atom)
        return event is not None

    def client_of(self, resource: int) -> int:
        """Return what all resources of one client have in common."""
        return self._x.client_of(resource)

    def _next_event(self, end: float) -> Any:
        """Return the next event, or None at the end of the time."""
        while True:
            try:
                event = self._x.connection.poll_for_event()
            except xcffib.Error:
                continue  # whoever asked has closed its window since
            if event is not None:
                return event
            self._x.connection.flush()
            left = end - time.monotonic()
            if left <= 0:
                return None
            select.select([self._x.connection.get_file_descriptor()], [], [], left)

    def _server_time(self) -> int:
        self._x.core.ChangeProperty(
            xp.PropMode.Append, self._window, self._x.atom(_PROPERTY), xp.Atom.STRING, 8, 0, b""
        )
        end = time.monotonic() + _NO_EVENT_S
        while (event := self._next_event(end)) is not None:
            if isinstance(event, xp.PropertyNotifyEvent) and event.window == self._window:
                return event.time
        raise HandsError("the X server does not answer")

    def _convert(self, target: str, end: float) -> Item | None:
        """Ask the owner for one form; None if it refuses."""
        clipboard, answer = self._x.atom(CLIPBOARD), self._x.atom(_PROPERTY)
        self._x.core.DeleteProperty(self._window, answer)
        self._x.core.ConvertSelection(self._window, clipboard, self._x.atom(target), answer, xp.Time.CurrentTime)
        while (event := self._next_event(end)) is not None:
            if isinstance(event, xp.SelectionNotifyEvent) and event.target == self._x.atom(target):
                break
        else:
            raise HandsError(f"the clipboard's owner does not hand {target} over")
        if event.property == 0:
            return None
        found = self._x.read_property(self._window, _PROPERTY, delete=True)
        if found is None:
            return None
        if found[0] != "INCR":
            return Item(*found)
        return self._receive_pieces(target, end)

    def _receive_pieces(self, target: str, end: float) -> Item:
        pieces: list[bytes] = []
        while (event := self._next_event(end)) is not None:
            new = isinstance(event, xp.PropertyNotifyEvent) and event.state == xp.Property.NewValue
            if not new or event.atom != self._x.atom(_PROPERTY):
                continue
            found = self._x.read_property(self._window, _PROPERTY, delete=True)
            if found is None:
                continue
            if not found[2]:
                return Item(found[0], found[1] or 8, b"".join(pieces))
            pieces.append(found[2])
            if sum(map(len, pieces)) > MAX_CONTENT_BYTES:
                raise HandsError(f"the clipboard holds more than {MAX_CONTENT_BYTES >> 20} MB")
        raise HandsError(f"the clipboard's owner stopped in the middle of {target}")

    def _answer(self, request: Any) -> None:
        target = self._x.atom_name(request.target)
        property_ = request.property or request.target
        if target == "MULTIPLE":
            self._answer_several(request.requestor, property_)
        elif not self._write(request.requestor, property_, target):
            property_ = 0
        notify = struct.pack(
            "=BxHIIIII8x", 31, 0, request.time, request.requestor, request.selection, request.target, property_
        )
        self._x.core.SendEvent(False, request.requestor, 0, notify)
        self._x.connection.flush()

    def _answer_several(self, requestor: int, property_: int) -> None:
        found = self._x.read_property(requestor, self._x.atom_name(property_))
        atoms = [] if found is None else list(struct.unpack(f"={len(found[2]) // 4}I", found[2]))
        for at in range(0, len(atoms) - 1, 2):
            if not self._write(requestor, atoms[at + 1], self._x.atom_name(atoms[at])):
                atoms[at + 1] = 0
        packed = struct.pack(f"={len(atoms)}I", *atoms)
        self._x.write_property(requestor, self._x.atom_name(property_), "ATOM_PAIR", 32, packed)

    def _write(self, requestor: int, property_: int, target: str) -> bool:
        """Put one form where the requestor wants it; say whether there is such a form."""
        name = self._x.atom_name(property_)
        if target == "TARGETS":
            atoms = [self._x.atom(each) for each in ("TARGETS", "TIMESTAMP", "MULTIPLE", *self._content)]
            self._x.write_property(requestor, name, "ATOM", 32, struct.pack(f"={len(atoms)}I", *atoms))
        elif target == "TIMESTAMP":
            self._x.write_property(requestor, name, "INTEGER", 32, struct.pack("=I", self._time))
        elif target in self._content:
            item = self._content[target]
            if len(item.data) > self._piece_bytes:
                # Hear when the requestor has taken a piece away.
                mask = [xp.EventMask.PropertyChange]
                self._x.core.ChangeWindowAttributes(requestor, xp.CW.EventMask, mask)
                self._sending[requestor, property_] = (item, 0)
                self._x.write_property(requestor, name, "INCR", 32, struct.pack("=I", len(item.data)))
            else:
                self._x.write_property(requestor, name, item.type, item.format_bits, item.data)
                self._answered.append(requestor)
        else:
            return False
        return True

    def _send_piece(self, requestor: int, property_: int) -> None:
        if (requestor, property_) not in self._sending:
            return
        item, sent = self._sending[requestor, property_]
        piece = item.data[sent : sent + self._piece_bytes]
        self._x.write_property(requestor, self._x.atom_name(property_), item.type, item.format_bits, piece)
        self._x.connection.flush()
        if piece:
            self._sending[requestor, property_] = (item, sent + len(piece))
        else:
            del self._sending[requestor, property_]
            self._answered.append(requestor)
