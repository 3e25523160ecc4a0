"""Asks how a smaller copy of a model is to be written."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QVBoxLayout, QWidget

from app.translate import tr
from app.ui.models.entries import ModelEntry
from app.ui.widgets.controls import button, hint, label, restyle


class QuantiseDialog(QDialog):
    """Chooses ``bits`` and the ``target``, a folder that does not exist yet."""

    def __init__(self, entry: ModelEntry, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self._folder = folder
        self.setWindowTitle(tr("Quantise {name}", name=entry.title))
        self.setMinimumWidth(480)
        self.format = QComboBox()
        self.format.addItem(tr("int4: a quarter of the size"), 4)
        self.format.addItem(tr("int8: half of the size"), 8)
        self.place = button("", icon="folder")
        self.place.setProperty("data", True)
        self.place.clicked.connect(self._ask_place)
        self.problem = label("", "danger")
        self.problem.setWordWrap(True)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(16)
        for text, field in ((tr("Number format"), self.format), (tr("Written into"), self.place)):
            form.addRow(text, field)
            field.setAccessibleName(text)
        buttons = QDialogButtonBox()
        self.begin = buttons.addButton(tr("Quantise"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.begin.setProperty("role", "primary")
        buttons.addButton(tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.setSpacing(12)
        column.addWidget(hint(tr("The copy loads faster and needs less memory; its answers differ a little.")))
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(buttons)
        self.format.currentIndexChanged.connect(self._update)
        self._update()

    @property
    def bits(self) -> int:
        """Bits a weight."""
        return int(self.format.currentData())

    @property
    def target(self) -> Path:
        """The folder to be written."""
        return self._folder / f"{Path(self.entry.title).name}-int{self.bits}"

    def _ask_place(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, tr("Choose a folder"), str(self._folder.parent)):
            self._folder = Path(chosen)
            self._update()

    def _update(self) -> None:
        self.place.setText(str(self.target))
        there = self.target.exists()
        self.problem.setText(tr("This folder exists already.") if there else "")
        self.begin.setEnabled(not there)
        restyle(self.problem, "danger")
