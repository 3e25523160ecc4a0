"""What a run asks the person: may it do this, is it there, or a question of the planner's."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from agent.episode import Decision, Proposal, Risk
from agent.told import one_line
from app.translate import tr
from app.ui.agent.words import action_words
from app.ui.widgets.controls import button, hint, label, row
from app.ui.widgets.flow import flow


class QuestionCard(QFrame):
    """``answered`` carries a `Decision` or a text; ``pick_toggled`` says that the person shows the place now."""

    answered = Signal(object)
    pick_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.title = label("", "subheading")
        self.title.setWordWrap(True)
        self.why = hint("")
        self.approve = button(tr("Approve"), icon="check", role="primary")
        self.deny = button(tr("Deny"), icon="close")
        self.correct = button(tr("Not there: show it"), icon="edit")
        self.correct.setCheckable(True)
        self.words = QLineEdit()
        self.words.setAccessibleName(tr("Your answer"))
        self.words.setPlaceholderText(tr("Your answer"))
        self.send = button(tr("Answer"), icon="send", role="primary")
        self._deciding = flow(self.approve, self.deny, self.correct)
        self._wording = row(self.words, self.send)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        for widget in (self.title, self.why, self._deciding, self._wording):
            layout.addWidget(widget)
        self.approve.clicked.connect(self._approve)
        self.deny.clicked.connect(self._deny)
        self.correct.toggled.connect(self._picking)
        self.send.clicked.connect(self._send)
        self.words.returnPressed.connect(self._send)
        self.hide()

    def ask(self, proposal: Proposal) -> None:
        """Ask about an action."""
        element = f" · {proposal.element}" if proposal.element else ""
        self.title.setText(tr("May it {action}?", action=action_words(proposal.action)) + element)
        risks = ", ".join(risk_words(risk) for risk in proposal.risks)
        window = proposal.window.title if proposal.window else ""
        parts = (
            tr("Risk: {risks}", risks=risks) if risks else "",
            tr("It is not certain that this is what the planner says it is") if proposal.doubt else "",
            tr("in “{window}”", window=one_line(window)) if window else "",
        )
        self.why.setText(" · ".join(part for part in parts if part))
        self.why.setVisible(bool(self.why.text()))
        self.correct.setVisible(proposal.target_px is not None)
        self._show(deciding=True)

    def ask_words(self, question: str) -> None:
        """Ask a question of the planner's."""
        self.title.setText(one_line(question))
        self.why.setText(tr("The planner asks. What you answer is all that it is told."))
        self.why.setVisible(True)
        self.words.clear()
        self._show(deciding=False)

    def close_question(self) -> None:
        """Take the question away."""
        self.correct.setChecked(False)
        self.hide()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the focus on what does nothing by itself: Enter must not approve by accident."""
        super().showEvent(event)
        (self.words if self._wording.isVisibleTo(self) else self.deny).setFocus()

    def _show(self, *, deciding: bool) -> None:
        self.correct.setChecked(False)
        self._deciding.setVisible(deciding)
        self._wording.setVisible(not deciding)
        self.show()

    def _approve(self) -> None:
        self.answered.emit(Decision("approve"))

    def _deny(self) -> None:
        self.answered.emit(Decision("deny"))

    def _send(self) -> None:
        self.answered.emit(self.words.text())

    def _picking(self, on: bool) -> None:
        self.correct.setText(tr("Click the right place") if on else tr("Not there: show it"))
        self.pick_toggled.emit(on)


def risk_words(risk: Risk) -> str:
    """Name a risk for a person."""
    return {
        "send": tr("sends something"),
        "pay": tr("pays"),
        "delete": tr("deletes something"),
        "install": tr("installs something"),
        "credential": tr("credentials"),
        "shell": tr("runs a command"),
        "close unsaved": tr("closes without saving"),
        "other application": tr("another application"),
    }[risk]
