"""The attachments of what is being written: thumbnails with size and cost, each removable."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.store import Attachment
from app.translate import tr
from app.ui.chat.attaching import Prepared
from app.ui.chat.pictures import Thumbnail
from app.ui.theme import tokens_now
from app.ui.widgets.controls import icon_button, label

_THUMBNAIL_TEXTS = 4


class Chip(QFrame):
    """One attachment; ``prepared`` is None while it is being read."""

    removed = Signal(object)
    opened = Signal(object)

    def __init__(self, name: str, kept: Attachment | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "raised")
        self.attachment = kept
        self.prepared: Prepared | None = None
        self._thumbnail = Thumbnail(name, _THUMBNAIL_TEXTS * tokens_now().text_px)
        self._thumbnail.opened.connect(self._open)
        self._name = label(name if len(name) <= 32 else f"{name[:18]}…{name[-12:]}")
        self._name.setProperty("data", True)
        self._told = label(tr("reading…"), "small")
        self._told.setObjectName("told")
        remove = icon_button("close", tr("Remove {name}", name=name))
        remove.setObjectName("remove")
        remove.clicked.connect(lambda: self.removed.emit(self))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._name)
        words.addWidget(self._told)
        words.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 2, 6)
        layout.setSpacing(8)
        layout.addWidget(self._thumbnail)
        layout.addLayout(words)
        layout.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)

    def set_prepared(self, prepared: Prepared) -> None:
        """Show the picture."""
        self.prepared, self.attachment = prepared, prepared.attachment
        self._thumbnail.set_image(prepared.thumbnail)

    def set_told(self, text: str) -> None:
        """Say size and cost."""
        self._told.setProperty("data", True)
        self._told.setText(text)
        self._told.setToolTip(tr("The size of the picture, what the model sees of it, and what that costs"))

    @property
    def told(self) -> str:
        """What is said about it."""
        return self._told.text()

    def _open(self) -> None:
        if self.prepared is not None:
            self.opened.emit(self.prepared.attachment)


class AttachmentStrip(QScrollArea):
    """The chips side by side; hidden while there are none."""

    changed = Signal()
    opened = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        holder = QWidget()
        holder.setProperty("role", "scrolled")
        holder.setAutoFillBackground(False)
        self._line = QHBoxLayout(holder)
        self._line.setContentsMargins(0, 0, 0, 4)
        self._line.setSpacing(8)
        self._line.addStretch(1)
        self.setWidget(holder)
        self.chips: list[Chip] = []
        self.hide()

    def add(self, name: str, kept: Attachment | None = None) -> Chip:
        """Add a chip for something that is being read; ``kept`` is what is known of it already."""
        chip = Chip(name, kept)
        chip.removed.connect(self.remove)
        chip.opened.connect(self._open)
        self.chips.append(chip)
        self._line.insertWidget(self._line.count() - 1, chip)
        self._settle()
        return chip

    def remove(self, chip: Chip) -> None:
        """Take one away."""
        if chip in self.chips:
            self.chips.remove(chip)
            self._line.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
            self._settle()

    def clear(self) -> None:
        """Take all away."""
        for chip in tuple(self.chips):
            self.remove(chip)

    @property
    def is_reading(self) -> bool:
        """Whether something is not ready to be sent."""
        return any(chip.prepared is None for chip in self.chips)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What is there; what is read for the first time is not known yet."""
        return tuple(chip.attachment for chip in self.chips if chip.attachment is not None)

    def _settle(self) -> None:
        self.setVisible(bool(self.chips))
        if self.chips:
            self.setFixedHeight(self.chips[0].sizeHint().height() + 16)
        self.changed.emit()

    def _open(self, attachment: Attachment) -> None:
        self.opened.emit(attachment, ())
