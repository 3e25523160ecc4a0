"""A small program for the agent to work in: a form that says on standard output what reached it."""

import json
import sys

from PySide6.QtCore import QPoint, QSocketNotifier
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def place_of(widget: QWidget) -> list[int]:
    """Return where a widget is on the screen."""
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


def main() -> int:
    """Show the form until the process is ended."""
    application = QApplication(sys.argv[:1])
    form = QWidget()
    form.setWindowTitle("Visitors")
    form.setGeometry(120, 90, 460, 320)
    layout = QVBoxLayout(form)
    layout.setSpacing(16)
    layout.addWidget(QLabel("Full name"))
    name = QLineEdit()
    name.setMaxLength(100_000)
    layout.addWidget(name)
    save, cancel, shown = QPushButton("Save"), QPushButton("Cancel"), QLabel("")
    for button in (save, cancel):
        layout.addWidget(button)
    layout.addWidget(shown)
    layout.addStretch(1)

    def typed(text: str) -> None:
        if len(text) in (1, 40):
            say(event="typed", count=len(text))

    name.textEdited.connect(typed)

    def saved() -> None:
        shown.setText("Saved")
        say(event="saved", name=name.text())

    save.clicked.connect(saved)
    cancel.clicked.connect(lambda: say(event="cancelled"))
    form.show()

    def answer() -> None:
        line = sys.stdin.readline()
        if not line:
            application.quit()
            return
        if json.loads(line)["do"] == "text":
            say(event="text", text=name.text())
            return
        say(event="where", save=place_of(save), cancel=place_of(cancel), field=place_of(name))

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, form)
    notifier.activated.connect(answer)
    say(event="ready")
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
