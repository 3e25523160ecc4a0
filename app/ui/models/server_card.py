"""The switch of the local server: port, key, and the line that shows other programs how to ask it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QFormLayout, QFrame, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from app.settings import ServerSettings
from app.translate import tr
from app.ui.models.entries import ModelEntry
from app.ui.models.server import LocalServer, Served, new_key
from app.ui.services import Services
from app.ui.widgets.controls import button, hint, icon_button, label, pad_spin_box, restyle, row, subheading
from app.ui.widgets.flow import flow
from app.ui.widgets.switch import Switch


class ServerCard(QFrame):
    """Switches the server on and off, and says where it is."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.server = LocalServer(services.data_folder / "logs" / "server.log", self)
        self.setProperty("role", "card")
        self.setAccessibleName(tr("Local server"))
        self.state = label("")
        self.model = QComboBox()
        self.port = QSpinBox()
        pad_spin_box(self.port)
        self.everywhere = Switch(tr("Let other machines ask, too"))
        self.key = QLineEdit()
        self.show_key = button(tr("Show"), tip=tr("Show the key"))
        self.renew = icon_button("refresh", tr("Make a new key"))
        self.copy_key = icon_button("copy", tr("Copy the key"))
        self.copy_address = icon_button("copy", tr("Copy the address"))
        self.copy_curl = icon_button("copy", tr("Copy the line"))
        self.switch = button(tr("Switch on"), icon="play", role="primary")
        self.message = hint("")
        self.address, self.curl = QLineEdit(), QLineEdit()
        self._line = ""
        self._lay_out()
        self._connect()
        self._show_state()

    def _lay_out(self) -> None:
        value = self.services.settings.value.server
        self.port.setRange(1, 65535)
        self.port.setValue(value.port)
        self.port.setGroupSeparatorShown(False)
        self.everywhere.setChecked(value.everywhere)
        self.key.setText(value.api_key)
        self.key.setPlaceholderText(tr("made up when it is switched on"))
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.model.setProperty("data", True)
        self.message.setProperty("data", True)
        for line in (self.address, self.curl):
            line.setReadOnly(True)
            line.setProperty("data", True)
        self.show_key.setCheckable(True)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        for text, field in (
            (tr("Model to serve"), self.model),
            (tr("Port"), self.port),
            (tr("Key"), row(self.key, self.show_key, self.copy_key, self.renew)),
            ("", self.everywhere),
            (tr("Address"), row(self.address, self.copy_address)),
            (tr("Try it"), row(self.curl, self.copy_curl)),
        ):
            form.addRow(text, field)
        for field, text in (
            (self.model, tr("Model to serve")),
            (self.port, tr("Port")),
            (self.key, tr("Key")),
            (self.address, tr("Address")),
            (self.curl, tr("Try it")),
        ):
            field.setAccessibleName(text)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        column.addWidget(flow(subheading(tr("Local server")), "stretch", self.state))
        column.addWidget(
            hint(
                tr(
                    "Other programs can ask a model of this machine as they ask OpenAI’s. "
                    "It is loaded once more for that, in a process of its own."
                )
            )
        )
        column.addLayout(form)
        column.addWidget(self.message)
        column.addWidget(flow(self.switch))

    def _copy_key(self) -> None:
        QGuiApplication.clipboard().setText(self.key.text())

    def _copy_address(self) -> None:
        QGuiApplication.clipboard().setText(self.address.text())

    def _copy_curl(self) -> None:
        QGuiApplication.clipboard().setText(self._line)

    def _connect(self) -> None:
        self.switch.clicked.connect(self._switch)
        self.renew.clicked.connect(self._renew)
        self.copy_key.clicked.connect(self._copy_key)
        self.copy_address.clicked.connect(self._copy_address)
        self.copy_curl.clicked.connect(self._copy_curl)
        self.show_key.toggled.connect(self._show_key)
        for changed in (self.port.valueChanged, self.key.textChanged, self.everywhere.toggled):
            changed.connect(self._save)
        self.model.currentIndexChanged.connect(self._show_state)
        self.server.changed.connect(self._show_state)

    def show_models(self, entries: Sequence[ModelEntry]) -> None:
        """Offer the models that are on this machine."""
        chosen = self.model.currentData()
        here = [entry for entry in entries if entry.folder is not None and not entry.problem]
        self.model.blockSignals(True)
        self.model.clear()
        for entry in here:
            self.model.addItem(entry.title, entry.name)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)
        self._show_state()

    def closing(self) -> None:
        """End the server."""
        self.server.switch_off()

    @property
    def wanted(self) -> Served:
        """What is to be served, as it is set now."""
        return Served(str(self.model.currentData() or "builtin"), None, self._settings())

    def _settings(self) -> ServerSettings:
        return ServerSettings(
            port=self.port.value(), everywhere=self.everywhere.isChecked(), api_key=self.key.text().strip()
        )

    def _save(self) -> None:
        self.services.settings.change(server=self._settings())
        self._show_state()

    def _switch(self) -> None:
        if self.server.state in ("off", "failed"):
            if not self.key.text().strip():
                self._renew()
            self.server.switch_on(self.wanted)
        else:
            self.server.switch_off()

    def _renew(self) -> None:
        self.key.setText(new_key())

    def _show_key(self, on: bool) -> None:
        self.key.setEchoMode(QLineEdit.EchoMode.Normal if on else QLineEdit.EchoMode.Password)
        self._show_state()

    def _show_state(self) -> None:
        server = self.server
        texts = {
            "off": (tr("off"), "muted"),
            "starting": (tr("starting…"), "muted"),
            "on": (tr("on"), "success"),
            "restarting": (tr("being started again…"), "warning"),
            "failed": (tr("failed"), "danger"),
        }
        said, role = texts[server.state]
        self.state.setText(said)
        restyle(self.state, role)
        runs = server.state not in ("off", "failed")
        self.switch.setText(tr("Switch off") if runs else tr("Switch on"))
        self.switch.set_icon("stop" if runs else "play")
        self.switch.setEnabled(runs or self.model.count() > 0)
        for field in (self.model, self.port, self.everywhere, self.key, self.renew):
            field.setEnabled(not runs)
        self.message.setText(server.message)
        self.message.setVisible(bool(server.message))
        served = server.served if runs and server.served is not None else self.wanted
        self.address.setText(served.url)
        self._line = served.curl
        key = served.settings.api_key
        hidden = bool(key) and self.key.echoMode() == QLineEdit.EchoMode.Password
        self.curl.setText(self._line.replace(key, "•" * 8) if hidden else self._line)
        self.curl.setCursorPosition(0)
