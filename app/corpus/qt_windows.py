"""Render desktops with real Qt windows on them, with boxes read from the widgets.

One command a split, without a display (icons come from the npm registry, once; fonts as in
`model.nano.web_pages`)::

    python -m app.corpus.qt_windows --split train --count 800 --seed 1 --out build/nano/qt-train
    python -m app.corpus.qt_windows --split test --count 120 --seed 1 --out build/nano/qt-test

A scale factor holds for a whole process, so each scale is rendered by a child of its own.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from PySide6.QtCore import QMessageLogContext, QPoint, QRect, QRectF, Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget

from app.corpus.qt_content import WindowBuilder
from app.corpus.qt_read import Glyph, WindowReader
from app.corpus.qt_style import QtLook, apply_random_look
from model.nano.corpus import read_index_length, write_screen
from model.nano.elements import Box, Element, Screen
from model.nano.page_assets import Icons
from model.nano.split import Split
from model.nano.visible import keep_visible, visible_glyphs

_SCALES = (1.0, 1.25, 1.5, 2.0)
_SIZES_PX = ((1280, 800), (1280, 720), (1366, 768), (1024, 768), (1440, 900), (1600, 900), (1920, 1080), (800, 600))
_TITLE_PX = 28


class Desktop:
    """A picture that windows are put on, one over the other, with what of them can be seen."""

    def __init__(self, size_px: tuple[int, int], ratio: float, rng: Random) -> None:
        self.ratio = ratio
        self.width, self.height = size_px[0] / ratio, size_px[1] / ratio
        self.image = QImage(*size_px, QImage.Format.Format_RGB32)
        self.image.setDevicePixelRatio(ratio)
        self.elements: list[Element] = []
        self.glyphs: list[Glyph] = []
        painter = QPainter(self.image)
        gradient = QLinearGradient(0, 0, self.width, self.height)
        hue = rng.randrange(360)
        gradient.setColorAt(0, QColor.fromHsv(hue, rng.randint(0, 160), rng.randint(40, 230)))
        gradient.setColorAt(1, QColor.fromHsv((hue + 60) % 360, rng.randint(0, 160), rng.randint(40, 230)))
        painter.fillRect(QRectF(0, 0, self.width, self.height), gradient)
        painter.end()

    def put(self, window: QWidget, corner: QPoint, look: QtLook, titled: bool) -> None:
        """Show ``window`` with its inside at ``corner`` (logical pixels), over what is there already."""
        reader = WindowReader(window, window.windowTitle() if titled else "")
        reader.read()
        # Drawing onto the picture at a whole logical pixel keeps widget edges where the widgets say they are.
        picture = window.grab()
        title = ""
        frame = QRectF(corner.x(), corner.y(), window.width(), window.height())
        painter = QPainter(self.image)
        if titled:
            frame.setTop(frame.top() - _TITLE_PX)
            bar = QRectF(frame.x(), frame.y(), frame.width(), _TITLE_PX)
            painter.fillRect(bar, look.title_back)
            painter.setPen(look.title_ink)
            title = painter.fontMetrics().elidedText(
                window.windowTitle(), Qt.TextElideMode.ElideRight, window.width() - 100
            )
            painter.drawText(bar.adjusted(10, 0, -90, 0), Qt.AlignmentFlag.AlignVCenter, title)
        painter.drawPixmap(corner, picture)
        painter.setPen(look.title_back.darker(150))
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        painter.end()
        self._cover(frame)
        self.elements += [_moved(e, corner) for e in reader.elements]
        self.glyphs += [(code, x + corner.x(), y + corner.y()) for code, x, y in reader.glyphs]
        if titled:
            self._title_bar(frame, title, look)

    def screen(self, source: str) -> Screen:
        """Return the finished picture and what can be seen on it."""
        scaled = [_scaled(e, self.ratio, (self.image.width(), self.image.height())) for e in self.elements]
        image = self.image.convertToFormat(QImage.Format.Format_RGB888)
        lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = lines[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()
        glyphs = np.asarray(self.glyphs, np.float32).reshape(-1, 3)
        glyphs[:, 1:] *= self.ratio
        inside = (glyphs[:, 1] < image.width()) & (glyphs[:, 2] < image.height()) & (glyphs[:, 1:] > 0).all(axis=1)
        kept = [e for e in scaled if e is not None]
        return Screen(pixels, keep_visible(pixels, kept), visible_glyphs(pixels, glyphs[inside]), source, self.ratio)

    def _title_bar(self, frame: QRectF, title: str, look: QtLook) -> None:
        painter = QPainter(self.image)
        metrics = painter.fontMetrics()
        left, middle = frame.x() + 10, frame.y() + _TITLE_PX / 2
        half = metrics.height() / 2
        box = (left, middle - half, left + metrics.horizontalAdvance(title), middle + half)
        self.elements.append(Element("label", box, text=title))
        for count, char in enumerate(title):
            before, after = metrics.horizontalAdvance(title[:count]), metrics.horizontalAdvance(title[: count + 1])
            if not char.isspace():
                self.glyphs.append((ord(char), left + (before + after) / 2, middle))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(look.title_ink)
        for place, concept in enumerate(("close", "maximize", "minimize")):
            box = QRectF(frame.right() - 28 * (place + 1), frame.y(), 28, _TITLE_PX)
            mark = box.adjusted(9, 9, -9, -9)
            if concept == "close":
                painter.drawLine(mark.topLeft(), mark.bottomRight())
                painter.drawLine(mark.topRight(), mark.bottomLeft())
            elif concept == "maximize":
                painter.drawRect(mark)
            else:
                painter.drawLine(mark.bottomLeft(), mark.bottomRight())
            self.elements.append(
                Element("icon_button", (box.left(), box.top(), box.right(), box.bottom()), icon=concept, group_kind="")
            )
        painter.end()

    def _cover(self, frame: QRectF) -> None:
        """Forget what the rectangle ``frame`` hides."""
        hidden = [g for g in self.glyphs if frame.contains(g[1], g[2])]
        self.glyphs = [g for g in self.glyphs if not frame.contains(g[1], g[2])]
        self.elements = [e for e in self.elements if not _hides(frame, hidden, e)]


def draw_screen(app: QApplication, number: int, seed: int, split: Split, icons: Icons) -> Screen:
    """Draw desktop ``number`` of a run from its seed."""
    rng = Random(f"{split}/{seed}/{number}")  # noqa: S311 - a repeatable choice, not a secret
    look = apply_random_look(app, split, rng)
    desktop = Desktop(rng.choice(_SIZES_PX), app.devicePixelRatio(), rng)
    builder = WindowBuilder(rng, icons, look.ink.name())
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        window = builder.window()
        _resize(window, desktop, rng)
        window.show()
        app.processEvents()
        left = rng.randint(0, max(0, int(desktop.width) - window.width()))
        top = rng.randint(_TITLE_PX, max(_TITLE_PX, int(desktop.height) - window.height()))
        corner = QPoint(left, top)
        desktop.put(window, corner, look, titled=True)
        if isinstance(window, QMainWindow) and rng.random() < 0.4:
            _open_menu(app, desktop, window, corner, look, rng)
        window.close()
        window.deleteLater()
        app.processEvents()
    return desktop.screen(f"qt:{look.style}:{'dark' if look.dark else 'light'}")


def _open_menu(
    app: QApplication, desktop: Desktop, window: QMainWindow, corner: QPoint, look: QtLook, rng: Random
) -> None:
    action = rng.choice(window.menuBar().actions())
    menu = action.menu()
    box: QRect = window.menuBar().actionGeometry(action)
    if not isinstance(menu, QMenu) or box.isEmpty():
        return
    menu.popup(QPoint(0, 0))
    app.processEvents()
    if corner.y() + box.bottom() + menu.sizeHint().height() < desktop.height:
        desktop.put(menu, corner + box.bottomLeft() + QPoint(0, 1), look, titled=False)
    menu.close()


def _resize(window: QWidget, desktop: Desktop, rng: Random) -> None:
    hint = window.sizeHint()
    room = (int(desktop.width), int(desktop.height) - _TITLE_PX)
    if isinstance(window, QMainWindow):
        wanted = (rng.randint(420, max(421, room[0])), rng.randint(320, max(321, room[1])))
    else:
        wanted = (round(hint.width() * rng.uniform(1, 1.6)), round(hint.height() * rng.uniform(1, 1.3)))
    window.resize(min(wanted[0], room[0]), min(wanted[1], room[1]))


def _hides(frame: QRectF, hidden: list[Glyph], element: Element) -> bool:
    """Say whether ``frame`` covers a good part of an element, or any of the ``hidden`` glyphs is part of its text."""
    x0, y0, x1, y1 = element.box_px
    part = QRectF(x0, y0, x1 - x0, y1 - y0)
    shared = part.intersected(frame)
    if shared.width() * shared.height() > 0.25 * part.width() * part.height() or frame.contains(part.center()):
        return True
    return not shared.isEmpty() and any(part.contains(x, y) for _, x, y in hidden)


def _moved(element: Element, corner: QPoint) -> Element:
    x0, y0, x1, y1 = element.box_px
    return _with_box(element, (x0 + corner.x(), y0 + corner.y(), x1 + corner.x(), y1 + corner.y()))


def _scaled(element: Element, ratio: float, size_px: tuple[int, int]) -> Element | None:
    """Bring a box to device pixels and cut it at the picture's edge; ``None`` when little of it is left."""
    x0, y0, x1, y1 = (v * ratio for v in element.box_px)
    cut = (max(0.0, x0), max(0.0, y0), min(float(size_px[0]), x1), min(float(size_px[1]), y1))
    left = max(0.0, cut[2] - cut[0]) * max(0.0, cut[3] - cut[1])
    return _with_box(element, cut) if left >= 0.7 * (x1 - x0) * (y1 - y0) else None


def _with_box(element: Element, box_px: Box) -> Element:
    return replace(element, box_px=box_px)


def main(arguments: list[str] | None = None) -> int:
    """Render a corpus; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.corpus.qt_windows", description="Render real Qt windows.")
    parser.add_argument("--split", choices=("train", "test"), required=True)
    parser.add_argument("--count", type=int, required=True, help="screens in the finished corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--packages", type=Path, default=Path("build/nano/npm"), help="folder for npm packages")
    parser.add_argument("--range", type=int, nargs=2, metavar=("FIRST", "END"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.range is None:
        return _run_children(options)
    app = QApplication.instance() or QApplication([])
    if not isinstance(app, QApplication):
        raise TypeError("the running application has no windows")
    qInstallMessageHandler(_report)
    icons = Icons(options.split, options.packages)
    for number in range(*options.range):
        screen = draw_screen(app, number, options.seed, options.split, icons)
        write_screen(options.out, f"q{options.seed}-{number:05d}", screen, options.split)
    return 0


def _report(kind: QtMsgType, _: QMessageLogContext, message: str) -> None:
    # The offscreen platform says this of every window that it shows.
    if not message.startswith("This plugin does not support"):
        print(f"{kind.name}: {message}", file=sys.stderr)


def _run_children(options: argparse.Namespace) -> int:
    """Render what is missing, a share for each scale, one child after the other."""
    done = read_index_length(options.out)
    bounds = [done + (options.count - done) * share // len(_SCALES) for share in range(len(_SCALES) + 1)]
    for scale, first, end in zip(_SCALES, bounds, bounds[1:], strict=False):
        if first >= end:
            continue
        command = [
            sys.executable,
            "-m",
            "app.corpus.qt_windows",
            "--split",
            options.split,
            "--count",
            str(options.count),
        ]
        command += ["--seed", str(options.seed), "--out", str(options.out), "--packages", str(options.packages)]
        command += ["--range", str(first), str(end)]
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)}
        code = subprocess.run(command, env=environment, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
