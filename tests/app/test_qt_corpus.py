"""Boxes read from Qt widgets cover what the widgets have drawn, at any scale factor."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", reason="PySide6 is not installed")

_SCRIPT = """
import json, sys
import numpy as np
from random import Random
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QFormLayout, QLineEdit, QListWidget, QPushButton
from app.corpus.qt_style import apply_random_look
from app.corpus.qt_windows import Desktop

app = QApplication([])
look = apply_random_look(app, "train", Random(3))
app.setStyleSheet("QPushButton{background:#ff0000;color:#000000;border:0;padding:8px}")
dialog = QDialog()
form = QFormLayout(dialog)
field = QLineEdit()
field.setPlaceholderText("Where")
form.addRow("&Town:", field)
form.addRow(QCheckBox("Remember"))
items = QListWidget()
items.addItems(["Apple", "Pear"])
form.addRow(items)
form.addRow(QPushButton("&Send"))
dialog.resize(300, 260)
dialog.setWindowTitle("Trip")
dialog.show()
app.processEvents()
desktop = Desktop((900, 700), app.devicePixelRatio(), Random(1))
desktop.put(dialog, QPoint(40, 50), look, titled=True)
if "cover" in sys.argv:
    over = QDialog()
    over.resize(400, 70)
    over.show()
    app.processEvents()
    desktop.put(over, QPoint(20, 55), look, titled=False)
screen = desktop.screen("test")
red = (screen.pixels[..., 0] > 200) & (screen.pixels[..., 1] < 60) & (screen.pixels[..., 2] < 60)
rows, columns = np.nonzero(red)
drawn = [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]
kept = [[e.role, e.text, e.label, e.placeholder, e.position, list(e.box_px)] for e in screen.elements]
text = "".join(chr(int(c)) for c in screen.glyphs[:, 0])
print(json.dumps({"drawn": drawn, "elements": kept, "text": text, "scale": screen.scale}))
"""


def _run(scale: float, *arguments: str) -> dict:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)}
    command = [sys.executable, "-c", _SCRIPT, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_boxes_are_in_device_pixels(scale: float) -> None:
    found = _run(scale)
    by_text = {e[1]: e for e in found["elements"] if e[1]}
    assert found["scale"] == scale
    assert np.allclose(by_text["Send"][5], found["drawn"], atol=1.5)
    assert by_text["Remember"][0] == "checkbox"
    assert (by_text["Pear"][0], by_text["Pear"][4]) == ("list_item", 2)
    (field,) = [e for e in found["elements"] if e[0] == "text_field"]
    assert field[2:4] == ["Town", "Where"]
    for word in ("Trip", "Town:", "Where", "Remember", "Apple", "Pear", "Send"):
        assert word in found["text"]


def test_what_another_window_covers_is_not_claimed() -> None:
    found = _run(1.0, "cover")
    assert "Send" in {e[1] for e in found["elements"]}
    assert not [e for e in found["elements"] if e[0] in ("text_field", "checkbox")]
    assert "Where" not in found["text"]
