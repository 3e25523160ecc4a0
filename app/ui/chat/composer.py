"""Where questions are written: text, attachments, and what the model would make of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.store import Attachment, Draft, History
from app.translate import tr
from app.ui.chat.attaching import Prepared, again, caption, seen_by, take_file, take_picture
from app.ui.chat.composer_edit import MAX_CHARACTERS, ComposerEdit
from app.ui.chat.request import may_find, model_name, only_grounds
from app.ui.chat.screenshot import ScreenshotTaker
from app.ui.chat.strip import AttachmentStrip, Chip
from app.ui.services import Services
from app.ui.tasks import Cancel
from app.ui.widgets.controls import button, hint, icon_button, label
from app.ui.widgets.flow import flow

DRAFT_AFTER_MS = 400

_ENDINGS = "*.png *.jpg *.jpeg *.webp *.gif *.bmp *.tif *.tiff *.avif *.ppm *.pdf *.mp4 *.mkv *.webm *.mov *.avi"


class Composer(QFrame):
    """Emits ``sent`` when what is there shall be asked, ``stop_wanted``, ``edit_last_wanted``, ``edit_cancelled``.

    ``draft_changed`` follows a change after a moment; ``opened(attachment, points)`` asks to see one.
    """

    sent = Signal()
    stop_wanted = Signal()
    edit_last_wanted = Signal()
    edit_cancelled = Signal()
    draft_changed = Signal()
    opened = Signal(object, object)

    def __init__(self, services: Services, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self.setAcceptDrops(True)
        self._services = services
        self._history = history
        self._answering = False
        self._editing = False
        self.strip = AttachmentStrip()
        self.edit = ComposerEdit()
        self.history_button = icon_button("list", tr("Show the history"))
        self.history_button.hide()
        self.attach_button = icon_button("attach", tr("Attach pictures, PDFs or videos"))
        self.screen_button = icon_button("camera", tr("Attach a picture of the screen"))
        self.region_button = icon_button("region", tr("Attach a part of the screen"))
        self.find_button = button(
            tr("Find it"), icon="search", role="ghost", tip=tr("Mark on the picture what you describe, without a talk")
        )
        self.find_button.setCheckable(True)
        self.send_button = button("", icon="send", role="primary", name="send", tip=tr("Send (Enter)"))
        self.send_button.setAccessibleName(tr("Send"))
        self.stop_button = button(tr("Stop"), icon="stop", name="stop", tip=tr("Stop the answer (Esc)"))
        self.hint = label("", "small")
        self.hint.setWordWrap(True)
        self.load_button = button("", role="primary", name="load")
        self._editing_row = QWidget()
        self._lay_out()
        self._connect()
        self._shots = ScreenshotTaker(services, self)
        self._shots.taken.connect(self._shot)
        self.screen_button.clicked.connect(self._shots.ask)
        self.region_button.clicked.connect(self._choose_region)
        self._draft_timer = QTimer(self)
        self._draft_timer.setSingleShot(True)
        self._draft_timer.setInterval(DRAFT_AFTER_MS)
        self._draft_timer.timeout.connect(self.draft_changed)
        services.engine.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        line = QHBoxLayout(self._editing_row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(hint(tr("You edit a message: sending begins a new version.")), 1)
        cancel = button(tr("Cancel"), role="ghost", name="cancel-edit")
        cancel.clicked.connect(self.edit_cancelled)
        line.addWidget(cancel)
        self._editing_row.hide()
        tools = (self.history_button, self.attach_button, self.screen_button, self.region_button)
        doing = (self.find_button, self.load_button, self.stop_button, self.send_button)
        foot = flow(*tools, "stretch", *doing, spacing=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._editing_row)
        layout.addWidget(self.strip)
        layout.addWidget(self.edit)
        layout.addWidget(self.hint)
        layout.addWidget(foot)

    def _connect(self) -> None:
        self.edit.send_wanted.connect(self._send)
        self.edit.stop_wanted.connect(self.escape)
        self.edit.edit_last_wanted.connect(self.edit_last_wanted)
        self.edit.files_given.connect(self.attach_files)
        self.edit.image_given.connect(self.attach_image)
        self.edit.too_long.connect(self._too_long)
        self.edit.textChanged.connect(self._changed)
        self.strip.changed.connect(self._changed)
        self.strip.opened.connect(self.opened)
        self.attach_button.clicked.connect(self._choose_files)
        self.send_button.clicked.connect(self._send)
        self.stop_button.clicked.connect(self.stop_wanted)
        self.load_button.clicked.connect(self._load)
        self.find_button.toggled.connect(self.refresh)

    # What is in it.

    @property
    def draft(self) -> Draft:
        """What is written and attached."""
        return Draft(self.edit.toPlainText().encode("utf-8", "replace").decode("utf-8"), self.strip.attachments)

    def set_draft(self, draft: Draft) -> None:
        """Show a draft in place of what there is."""
        self.strip.clear()
        self.edit.setPlainText(draft.text)
        self.edit.moveCursor(self.edit.textCursor().MoveOperation.End)
        for attachment in draft.attachments:
            self._prepare(
                attachment.name, lambda cancel, each=attachment: again(self._history, each, cancel), attachment
            )
        self._draft_timer.stop()
        self.refresh()

    def set_editing(self, on: bool) -> None:
        """Say that a message is edited."""
        self._editing = on
        self._editing_row.setVisible(on)

    def set_answering(self, on: bool) -> None:
        """Offer to stop in place of sending."""
        self._answering = on
        self.refresh()

    def stop(self) -> None:
        """End the timers: the page goes."""
        self._draft_timer.stop()
        self._shots.stop()

    # What can be asked.

    @property
    def finds(self) -> bool:
        """Whether a place on the picture is asked for, and not a talk."""
        card = self._services.engine.card
        return only_grounds(card) or (may_find(card) and self.find_button.isChecked())

    @property
    def can_send(self) -> bool:
        """Whether there is something to ask and somebody who answers."""
        draft = self.draft
        something = bool(draft.text.strip() or draft.attachments)
        return (
            something and not self._answering and not self.strip.is_reading and self._services.engine.state == "ready"
        )

    def refresh(self) -> None:
        """Say what the model can do with this, and whether it can be sent."""
        engine = self._services.engine
        self.find_button.setVisible(may_find(engine.card))
        self.edit.setPlaceholderText(tr("Describe what to find") if self.finds else tr("Ask anything"))
        self._say(self._hint())
        idle = engine.state in ("none", "failed")
        self.load_button.setVisible(idle)
        self.load_button.setText(tr("Load the model") if engine.state == "none" else tr("Try again"))
        self.send_button.setVisible(not self._answering)
        self.stop_button.setVisible(self._answering)
        self.send_button.setEnabled(self.can_send)
        for chip in self.strip.chips:
            self._tell(chip)

    def _say(self, text: str) -> None:
        self.hint.setText(text)
        self.hint.setVisible(bool(text))

    def _hint(self) -> str:
        engine, finds = self._services.engine, self.finds
        match engine.state:
            case "none":
                return tr("No model is loaded.")
            case "starting":
                return tr("The model is being loaded: {message}", message=engine.message)
            case "restarting":
                return tr("The engine is being restarted.")
            case "failed":
                return tr("The model cannot be used: {message}", message=engine.message)
            case _:
                pictures = any(
                    chip.prepared is None or chip.prepared.attachment.kind == "image" for chip in self.strip.chips
                )
                if only_grounds(engine.card) and not pictures:
                    return tr("This model finds things in pictures: attach one, then describe what to find.")
                return tr("{model} finds what you describe", model=model_name(engine)) if finds else ""

    def _load(self) -> None:
        engine = self._services.engine
        if engine.state == "failed" or engine.endpoint is not None:
            engine.restart()
        else:
            settings = self._services.settings.value
            engine.load(settings.model, quantize=settings.quantize)

    def _send(self) -> None:
        if self.can_send:
            self.sent.emit()

    def escape(self) -> None:
        """Stop the answer, or else leave an edit."""
        if self._answering:
            self.stop_wanted.emit()
        elif self._editing:
            self.edit_cancelled.emit()

    def _changed(self) -> None:
        self.send_button.setEnabled(self.can_send)
        self._say(self._hint())
        self._draft_timer.start()

    def _too_long(self, length: int) -> None:
        self._services.notify(
            "warning",
            tr(
                "{length} characters are too many: a message holds {most}. Save them to a file, or paste a part.",
                length=f"{length:,}",
                most=f"{MAX_CHARACTERS:,}",
            ),
        )

    # Attachments.

    def attach_files(self, files: Sequence[Path]) -> None:
        """Attach files."""
        for path in files:
            self._prepare(path.name, lambda cancel, path=path: take_file(self._history, path, cancel))

    def _choose_region(self) -> None:
        # Here, because capturing brings numpy along, which the window does without until then.
        from app.ui.capture import capture_region

        capture_region(self._services, self.attach_image, self.window())

    def attach_image(self, image: QImage) -> None:
        """Attach a picture from the clipboard or a part of the screen."""
        copy = image.copy()

        def take(_cancel: Cancel) -> Prepared:
            buffer = QBuffer()
            buffer.open(QIODevice.OpenModeFlag.WriteOnly)
            copy.save(buffer, "PNG", 80)  # pyright: ignore[reportCallIssue, reportArgumentType] - a device, and a name
            return take_picture(self._history, bytes(buffer.data().data()), tr("Pasted picture.png"))

        self._prepare(tr("Pasted picture.png"), take)

    def _shot(self, take: Callable[[Cancel], object]) -> None:
        name = tr("Screen.png")

        def keep(cancel: Cancel) -> Prepared:
            return take_picture(self._history, take(cancel), name)  # pyright: ignore[reportArgumentType] - a PIL picture

        self._prepare(name, keep)

    def _prepare(self, name: str, work: Callable[[Cancel], Prepared], kept: Attachment | None = None) -> None:
        chip = self.strip.add(name, kept)

        def done(prepared: Prepared) -> None:
            if chip in self.strip.chips:
                chip.set_prepared(prepared)
                self._tell(chip)
                self._changed()

        def failed(error: Exception) -> None:
            self.strip.remove(chip)
            self._services.notify("error", tr("{name} was not attached: {error}", name=name, error=str(error)))

        self._services.tasks.run(work, done=done, failed=failed)

    def _tell(self, chip: Chip) -> None:
        from model.errors import ModelError

        if chip.prepared is None:
            return
        try:
            seen = seen_by(chip.prepared.frames_px, self._services.engine.card)
        except ModelError as error:
            chip.set_told(str(error))
            return
        chip.set_told(caption(chip.prepared, seen))

    def _choose_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(
            self,
            tr("Attach"),
            "",
            f"{tr('Pictures, PDFs, videos')} ({_ENDINGS});;{tr('All files')} (*)",
        )
        self.attach_files([Path(name) for name in names])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Take what the field takes."""
        if self.edit.canInsertFromMimeData(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Attach what is dropped."""
        self.edit.insertFromMimeData(event.mimeData())
        event.acceptProposedAction()
