"""Finds what a person cannot read: text that is cut off, controls that stand outside, pages that scroll sideways."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QPushButton, QScrollArea, QTabBar, QWidget

_SLACK_PX = 2


def cut_off(window: QWidget) -> list[str]:
    """Return what does not fit, in words; nothing for a window that is as it should be."""
    found: list[str] = []
    for widget in window.findChildren(QWidget):
        if not widget.isVisibleTo(window) or widget.objectName().startswith(("qt_", "Scroll")):
            continue
        found += _narrow(widget) + _outside(widget, window) + _sideways(widget)
    return found


def _narrow(widget: QWidget) -> list[str]:
    lacking = 0
    match widget:
        case QLabel():
            if widget.text() and not widget.wordWrap() and not _gives_way(widget):
                lacking = widget.sizeHint().width() - widget.width()
            elif widget.text() and widget.wordWrap():
                # A third of a line is the space between lines.
                lacking = widget.heightForWidth(widget.width()) - widget.height() - widget.fontMetrics().height() // 3
        case QPushButton():
            lacking = widget.minimumSizeHint().width() - widget.width()
        case QAbstractButton():
            lacking = widget.minimumSizeHint().width() - widget.width()
    return [f"{_named(widget)} lacks {lacking} px"] if lacking > _SLACK_PX else []


def _gives_way(label: QLabel) -> bool:
    """Whether a label is made to take whatever room there is."""
    return label.sizePolicy().horizontalPolicy() == label.sizePolicy().Policy.Ignored


def _outside(widget: QWidget, window: QWidget) -> list[str]:
    if not isinstance(widget, QAbstractButton | QComboBox | QLabel | QTabBar):
        return []
    right = widget.mapTo(window, QPoint(widget.width(), 0)).x()
    return [f"{_named(widget)} ends at {right} of {window.width()} px"] if right > window.width() + _SLACK_PX else []


def _sideways(widget: QWidget) -> list[str]:
    if not isinstance(widget, QScrollArea) or not widget.horizontalScrollBar().maximum():
        return []
    return [f"{_named(widget)} scrolls sideways by {widget.horizontalScrollBar().maximum()} px"]


def _named(widget: QWidget) -> str:
    text = getattr(widget, "text", lambda: "")
    return f"{type(widget).__name__} “{widget.accessibleName() or text() or widget.objectName()}”"
