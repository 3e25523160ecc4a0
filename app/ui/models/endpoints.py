"""Servers of other people's: added from presets, tried, used. No key is demanded."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.settings import EndpointSettings
from app.translate import tr
from app.ui.models.card import capability_text
from app.ui.services import Services
from app.ui.tasks import Cancel, Task
from app.ui.widgets.controls import button, confirm, hint, icon_button, label, restyle, row, subheading
from app.ui.widgets.flow import flow
from model.errors import InputError
from model.wire.card import ModelCard

PRESETS = (
    ("vLLM", "http://localhost:8000/v1"),
    ("SGLang", "http://localhost:30000/v1"),
    ("llama.cpp", "http://localhost:8080/v1"),
    ("LM Studio", "http://localhost:1234/v1"),
    ("Ollama", "http://localhost:11434/v1"),
)
_GGUF = ("llama.cpp", "LM Studio", "Ollama")


def ask_card(_cancel: Cancel, settings: EndpointSettings) -> ModelCard:
    """Ask a server what it serves; raise `EndpointError` or `InputError` with what is wrong."""
    from model.client import Endpoint

    with Endpoint(settings.url, settings.model, settings.api_key) as endpoint:
        return endpoint.card()


def card_words(card: ModelCard) -> str:
    """Say what a server answered."""
    said = ", ".join(capability_text(name) for name in card.capabilities)
    return tr("It answers. Model: {name} ({said})", name=card.id, said=said)


class EndpointDialog(QDialog):
    """Adds or changes a server; ``value`` is it once the dialog is accepted."""

    def __init__(
        self, services: Services, taken: Sequence[str], known: EndpointSettings | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.services = services
        self._taken = {name for name in taken if known is None or name != known.name}
        self._task: Task | None = None
        self.setWindowTitle(tr("Change the server") if known else tr("Add a server"))
        self.setMinimumWidth(520)
        self.preset = QComboBox()
        self.name, self.url, self.model, self.key = QLineEdit(), QLineEdit(), QLineEdit(), QLineEdit()
        self.about = hint("")
        self.result_line = label("")
        self.test = button(tr("Test the connection"), icon="refresh")
        self._lay_out()
        if known is not None:
            self.name.setText(known.name)
            self.url.setText(known.url)
            self.model.setText(known.model or "")
            self.key.setText(known.api_key or "")
        else:
            self._take_preset(0)
        self.preset.activated.connect(self._take_preset)
        self.test.clicked.connect(self._try)
        for line in (self.name, self.url, self.model, self.key):
            line.textChanged.connect(self._update)
        self._update()

    def _lay_out(self) -> None:
        self.preset.setProperty("data", True)
        for name, url in PRESETS:
            self.preset.addItem(name, url)
        self.model.setPlaceholderText(tr("the first that it serves"))
        self.key.setPlaceholderText(tr("none is needed for most local servers"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.result_line.setWordWrap(True)
        self.result_line.setProperty("data", True)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for text, field in (
            (tr("Kind"), self.preset),
            (tr("Name"), self.name),
            (tr("Address"), self.url),
            (tr("Model"), self.model),
            (tr("Key (optional)"), self.key),
        ):
            form.addRow(text, field)
            field.setAccessibleName(text)
        buttons = QDialogButtonBox()
        self.save = buttons.addButton(tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.save.setProperty("role", "primary")
        buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self.about)
        column.addWidget(row(self.test, "stretch"))
        column.addWidget(self.result_line)
        column.addWidget(buttons)

    @property
    def value(self) -> EndpointSettings:
        """The server as it is written."""
        return EndpointSettings(
            name=self.name.text().strip(),
            url=self.url.text().strip(),
            model=self.model.text().strip() or None,
            api_key=self.key.text().strip() or None,
        )

    def done(self, result: int) -> None:
        """Close, and wait for no answer any more."""
        if self._task is not None:
            self._task.cancel()
        super().done(result)

    def _take_preset(self, number: int) -> None:
        name, url = PRESETS[number]
        self.name.setText(_free(name, self._taken))
        self.url.setText(url)

    def _update(self) -> None:
        from model.client import Endpoint

        value = self.value
        try:
            Endpoint(value.url).close()
            wrong = ""
        except InputError as error:
            wrong = str(error) if value.url else tr("The address is empty.")
        except ValueError as error:
            wrong = str(error)
        if not value.name:
            wrong = tr("The name is empty.")
        elif value.name in self._taken:
            wrong = tr("Another server is called that already.")
        self.save.setEnabled(not wrong)
        self.test.setEnabled(not wrong)
        self._tell(wrong, "danger")
        gguf = self.preset.currentText() in _GGUF
        self.about.setText(
            tr("Of the family only Thinking-2506 is known to work as GGUF; Instruct answers nonsense there.")
        )
        self.about.setVisible(gguf)

    def _try(self) -> None:
        value = self.value
        self._tell(tr("Asking {url}…", url=value.url), "muted")
        if self._task is not None:
            self._task.cancel()
        self._task = self.services.tasks.run(
            lambda cancel: ask_card(cancel, value), done=self._answered, failed=self._refused
        )

    def _answered(self, card: ModelCard) -> None:
        self._tell(card_words(card), "success")

    def _refused(self, error: Exception) -> None:
        self._tell(str(error), "danger")

    def _tell(self, text: str, role: str) -> None:
        self.result_line.setText(text)
        restyle(self.result_line, role)


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} {number}"
    return free


class EndpointRow(QFrame):
    """One server."""

    def __init__(self, owner: "EndpointList", settings: EndpointSettings) -> None:
        super().__init__()
        self.settings = settings
        self._owner = owner
        self.setProperty("role", "card")
        self.setAccessibleName(settings.name)
        self.title = label(settings.name, "subheading")
        self.about = label(f"{settings.url}  ·  {settings.model}" if settings.model else settings.url, "small")
        self.outcome = label("", "small")
        for text in (self.title, self.about, self.outcome):
            text.setProperty("data", True)
            text.setWordWrap(True)
            text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.use = button(tr("Use"), icon="play")
        self.test = button(tr("Test"), icon="refresh")
        self.edit = icon_button("edit", tr("Change {name}", name=settings.name))
        self.remove = icon_button("trash", tr("Remove {name}", name=settings.name))
        for made in (self.use, self.test):
            made.setAccessibleDescription(settings.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 12, 12)
        column.setSpacing(4)
        for widget in (self.title, self.about, self.outcome):
            column.addWidget(widget)
        column.addWidget(flow(self.use, self.test, "stretch", self.edit, self.remove))
        self.outcome.hide()
        self.use.clicked.connect(self._use)
        self.test.clicked.connect(self._test)
        self.edit.clicked.connect(self._edit)
        self.remove.clicked.connect(self._remove)
        self.task: Task | None = None

    def _use(self) -> None:
        self._owner.services.settings.change(endpoint=self.settings.name)
        self._owner.services.engine.use_endpoint(self.settings)

    def _test(self) -> None:
        self._tell(tr("Asking {url}…", url=self.settings.url), "muted")
        value = self.settings
        self.task = self._owner.services.tasks.run(
            lambda cancel: ask_card(cancel, value), done=self._answered, failed=self._refused
        )

    def _edit(self) -> None:
        self._owner.edit(self.settings)

    def _remove(self) -> None:
        text = tr("“{name}” and its key are forgotten.", name=self.settings.name)
        if confirm(self, tr("Remove this server?"), text, tr("Remove")):
            self._owner.remove(self.settings)

    def _answered(self, card: ModelCard) -> None:
        self._tell(card_words(card), "success")

    def _refused(self, error: Exception) -> None:
        self._tell(str(error), "danger")

    def _tell(self, text: str, role: str) -> None:
        self.outcome.setText(text)
        restyle(self.outcome, role)
        self.outcome.show()


class EndpointList(QWidget):
    """All servers that are known. Keys lie in the settings' file, which only its owner may read."""

    changed = Signal()

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.rows: list[EndpointRow] = []
        self.add = button(tr("Add a server…"), icon="plus")
        self.add.clicked.connect(self._ask_new)
        self._none = hint(tr("vLLM, SGLang, llama.cpp, LM Studio, Ollama, or anything that speaks as OpenAI does."))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(flow(subheading(tr("Other servers")), "stretch", self.add))
        self._column.addWidget(self._none)
        self.refresh()

    def refresh(self) -> None:
        """List the servers as they are now."""
        for made in self.rows:
            if made.task is not None:
                made.task.cancel()
            self._column.removeWidget(made)
            made.hide()
            made.deleteLater()
        self.rows = []
        for settings in self.services.settings.value.endpoints:
            made = EndpointRow(self, settings)
            self._column.addWidget(made)
            self.rows.append(made)

    def closing(self) -> None:
        """Wait for no answer any more."""
        for made in self.rows:
            if made.task is not None:
                made.task.cancel()

    def save(self, value: EndpointSettings, known: EndpointSettings | None) -> None:
        """Add a server, or put it in the place of one."""
        there = list(self.services.settings.value.endpoints)
        if known is None:
            there.append(value)
        else:
            there = [value if each.name == known.name else each for each in there]
        self.services.settings.change(endpoints=there)
        if known is not None and self.services.settings.value.endpoint == known.name:
            self.services.settings.change(endpoint=value.name)
        self.refresh()
        self.changed.emit()

    def remove(self, known: EndpointSettings) -> None:
        """Forget a server."""
        there = [each for each in self.services.settings.value.endpoints if each.name != known.name]
        self.services.settings.change(endpoints=there)
        if self.services.settings.value.endpoint == known.name:
            self.services.settings.change(endpoint="")
        self.refresh()
        self.changed.emit()

    def edit(self, known: EndpointSettings | None) -> None:
        """Open the dialog."""
        taken = [each.name for each in self.services.settings.value.endpoints]
        dialog = EndpointDialog(self.services, taken, known, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.save(dialog.value, known))
        dialog.open()

    def _ask_new(self) -> None:
        self.edit(None)
