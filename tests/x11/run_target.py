"""A small Qt form for whole runs: a name, a note, Save and Cancel; it says as JSON lines what was done to it."""

import json
import sys

from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Show the form until standard input ends; say where its parts are once it is active."""
    application = QApplication(sys.argv[:1])
    window = QWidget()
    window.setWindowTitle("Contact")
    window.setStyleSheet("font-size: 20px")
    layout, form, row = QVBoxLayout(window), QFormLayout(), QHBoxLayout()
    name, city = QLineEdit(), QLineEdit()
    form.addRow("Name", name)
    form.addRow("City", city)
    save, cancel = QPushButton("Save"), QPushButton("Cancel")
    status = QLabel("")
    dead = QLabel("Nothing happens here")
    dead.setStyleSheet("QLabel { background: #ccd; padding: 8px } QLabel:hover { background: #fc0 }")
    for button in (save, cancel):
        row.addWidget(button)
    layout.addLayout(form)
    layout.addLayout(row)
    layout.addWidget(status)
    layout.addWidget(dead)

    def saved() -> None:
        status.setText("Saved")
        say(event="saved", name=name.text(), city=city.text())

    save.clicked.connect(saved)
    cancel.clicked.connect(lambda: say(event="cancelled"))
    window.resize(640, 360)

    def ready() -> None:
        if not window.isActiveWindow():
            return
        timer.stop()
        rects = {}
        for key, widget in {"name": name, "city": city, "save": save, "cancel": cancel, "dead": dead}.items():
            corner = widget.mapToGlobal(widget.rect().topLeft())
            rects[key] = [corner.x(), corner.y(), corner.x() + widget.width(), corner.y() + widget.height()]
        say(event="ready", rects=rects)

    timer = QTimer(window)
    timer.timeout.connect(ready)
    timer.start(50)
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, window)
    notifier.activated.connect(application.quit)
    window.show()
    window.activateWindow()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
