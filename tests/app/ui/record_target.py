"""A small program to be recorded in: a form with a password, a list and buttons; it says where its parts are."""

import json
import sys

from PySide6.QtCore import QPoint, QSocketNotifier
from PySide6.QtWidgets import QApplication, QFormLayout, QLineEdit, QListWidget, QPushButton, QWidget


def say(**facts: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Show the form until standard input ends."""
    application = QApplication(sys.argv[:1])
    form = QWidget()
    form.setWindowTitle("Log in")
    form.setGeometry(150, 120, 620, 380)
    layout = QFormLayout(form)
    name, password, people, enter = QLineEdit(), QLineEdit(), QListWidget(), QPushButton("Log in")
    password.setEchoMode(QLineEdit.EchoMode.Password)
    people.addItems(["Ada", "Grace", "Edsger"])
    layout.addRow("Name", name)
    layout.addRow("Password", password)
    layout.addRow("People", people)
    layout.addRow(enter)
    enter.clicked.connect(lambda: say(event="entered", name=name.text(), password=password.text()))
    form.show()

    def answer() -> None:
        if not sys.stdin.readline():
            application.quit()
            return
        places = {}
        for key, widget in (("name", name), ("password", password), ("enter", enter)):
            middle = widget.mapToGlobal(QPoint(widget.width() // 2, widget.height() // 2))
            places[key] = [middle.x(), middle.y()]
        for number in range(3):
            item = people.visualItemRect(people.item(number)).center()
            middle = people.viewport().mapToGlobal(item)
            places[people.item(number).text()] = [middle.x(), middle.y()]
        focus = "password" if password.hasFocus() else "name" if name.hasFocus() else ""
        say(event="where", focus=focus, typed=[len(name.text()), len(password.text())], **places)

    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, form)
    notifier.activated.connect(answer)
    say(event="ready")
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
