"""The conversation that is shown: sending, answering, branches, and paging older messages in."""

from collections.abc import Callable, Sequence
from typing import cast

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage

from app.store import NEW_CHAT, Attachment, Draft, History, HistoryError, NewMessage, StoredMessage
from app.translate import tr
from app.ui.chat.attaching import full_picture, thumbnail_of
from app.ui.chat.colouring import warm_up
from app.ui.chat.composer import Composer
from app.ui.chat.generation import Generation, Job
from app.ui.chat.pictures import MarkedPicture, PictureDialog, Thumbnail
from app.ui.chat.request import Question, model_name
from app.ui.chat.transcript import PAGE_MESSAGES, Transcript
from app.ui.services import Services
from app.ui.tasks import Cancel
from app.ui.widgets.controls import confirm

_TITLE_CHARACTERS = 60


class Session(QObject):
    """Moves messages between history, model, transcript and composer.

    ``listed`` is emitted when the list of conversations is out of date, ``switched`` when another one is shown.
    """

    listed = Signal()
    switched = Signal()

    def __init__(self, services: Services, history: History, transcript: Transcript, composer: Composer) -> None:
        super().__init__(transcript)
        self._services = services
        self._history = history
        self._transcript = transcript
        self._composer = composer
        self.conversation = NEW_CHAT
        self._begun = False
        self._running: dict[int, _Running] = {}
        self._editing: StoredMessage | None = None
        self._when_ready: Callable[[], None] | None = None
        self._warm = False
        composer.sent.connect(self.send)
        composer.stop_wanted.connect(self.stop_answer)
        composer.edit_last_wanted.connect(self.edit_last)
        composer.edit_cancelled.connect(self.cancel_edit)
        composer.draft_changed.connect(self.save_draft)
        composer.opened.connect(self.open_picture)
        transcript.asked.connect(self.act)
        transcript.opened.connect(self.open_picture)
        transcript.wants_picture.connect(self._load_picture)
        transcript.older_wanted.connect(self._older)
        services.engine.changed.connect(self._engine_changed)

    # What is shown.

    def open(self, conversation: int, message: int = 0) -> None:
        """Show a conversation, at its end or at a message of it; `NEW_CHAT` is an empty one."""
        if self._begun:
            self.save_draft()
            self.cancel_edit()
        self._begun = True
        self.conversation = conversation
        if message:
            self._history.messages.show(message)
        self._reload(message)
        self._composer.set_draft(self._history.conversations.draft(conversation))
        self._composer.edit.setFocus()
        self.switched.emit()

    def leave(self) -> None:
        """Show an empty conversation, without keeping what is in the composer."""
        self._begun = True
        self._editing = None
        self._composer.set_editing(False)
        self.conversation = NEW_CHAT
        self._reload()
        self._composer.set_draft(self._history.conversations.draft(NEW_CHAT))
        self.switched.emit()

    def _reload(self, message: int = 0) -> None:
        if self.conversation == NEW_CHAT:
            self._transcript.clear()
            self._composer.set_answering(False)
            return
        count = PAGE_MESSAGES
        at = self._history.messages.position(self.conversation, message) if message else None
        page = self._history.messages.page(self.conversation, count)
        if at is not None and at < page.before:
            page = self._history.messages.page(self.conversation, page.before + count - max(0, at - 2))
        self._transcript.show_messages(page.messages, page.before, self._pictures(page.messages))
        running = self._running.get(self.conversation)
        if running is not None:
            view = self._transcript.view_of(running.generation.job.message.id)
            if view is not None:
                view.show_so_far(running.text, running.thinking)
        self._composer.set_answering(running is not None)
        if message:
            self._transcript.show_message(message)

    def _older(self) -> None:
        page = self._history.messages.page(self.conversation, PAGE_MESSAGES, before=self._transcript.before)
        self._transcript.prepend(page.messages, page.before, self._pictures(page.messages))

    def _pictures(self, messages: Sequence[StoredMessage]) -> dict[int, Attachment]:
        """Find the picture that each answer with a place in it speaks of."""
        found: dict[int, Attachment] = {}
        for message in messages:
            points = message.content.points
            if points and (pictures := self._question(message.parent_id).pictures):
                found[message.id] = pictures[min(points[0].picture, len(pictures) - 1)]
        return found

    def _question(self, message_id: int | None) -> Question:
        return Question(tuple(self._history.messages.path(self.conversation, until=message_id)))

    # Asking.

    def send(self) -> None:
        """Ask what is in the composer."""
        draft = self._composer.draft
        edited = self._editing
        content = NewMessage("user", draft.text.strip(), attachments=draft.attachments)
        if self.conversation == NEW_CHAT:
            first = content.text.split("\n")[0][:_TITLE_CHARACTERS].strip()
            title = first or (content.attachments[0].name if content.attachments else "")
            created = self._history.conversations.create(title)
            self._history.conversations.set_draft(NEW_CHAT, Draft())
            self.conversation = created.id
        if edited is not None:
            parent = edited.parent_id
            self._transcript.cut_from(edited.id)
        else:
            path = self._transcript.views
            parent = path[-1].message.id if path else None
        question = self._history.messages.add(self.conversation, parent, content)
        self._editing = None
        self._composer.set_editing(False)
        kept = self._history.conversations.draft(self.conversation) if edited is not None else Draft()
        self._history.conversations.set_draft(self.conversation, kept)
        self._composer.set_draft(kept)
        self._transcript.append(question)
        self._answer(question.id)
        self.listed.emit()
        self.switched.emit()

    def _answer(self, question_id: int) -> None:
        engine = self._services.engine
        message = self._history.messages.add(
            self.conversation, question_id, NewMessage("assistant", state="streaming", model=model_name(engine))
        )
        self._run(message, finds=self._composer.finds)

    def _run(self, message: StoredMessage, *, finds: bool = False) -> None:
        engine = self._services.engine
        model = engine.model()
        if model is None:
            return
        question = self._question(message.parent_id)
        self.run_job(Job(question, message, model, engine.card, model_name(engine), finds))

    def run_job(self, job: Job) -> None:
        """Show an answer while it comes; it belongs to the conversation that is shown."""
        if not self._warm:
            self._warm = True
            self._services.tasks.run(_warm_up, done=_nothing)
        self._transcript.append(job.message)
        self._transcript.to_end()
        running = _Running(Generation(self._history, self._services.tasks, job, self), job.message)
        self._running[self.conversation] = running
        running.generation.arrived.connect(self._arrived)
        running.generation.ended.connect(self._ended)
        self._composer.set_answering(True)

    def _arrived(self, text: str, thinking: str) -> None:
        running = self._of(self.sender())
        if running is None:
            return
        running.text += text
        running.thinking += thinking
        if view := self._transcript.view_of(running.generation.job.message.id):
            view.add(text, thinking)

    def _ended(self, message: StoredMessage | None) -> None:
        running = self._of(self.sender())
        if running is None:
            return
        conversation = running.generation.job.message.conversation_id
        del self._running[conversation]
        running.generation.deleteLater()
        if message is not None and (view := self._transcript.view_of(message.id)):
            view.finish(message, self._pictures([message]).get(message.id))
        if conversation == self.conversation:
            self._composer.set_answering(False)

    def _of(self, sender: QObject | None) -> "_Running | None":
        return next((each for each in self._running.values() if each.generation is sender), None)

    def stop_answer(self) -> None:
        """Stop the answer of the conversation that is shown."""
        if running := self._running.get(self.conversation):
            running.generation.stop()

    @property
    def is_answering(self) -> bool:
        """Whether the conversation that is shown is being answered."""
        return self.conversation in self._running

    # What is done to messages.

    def act(self, action: str, message_id: int) -> None:
        """Do what a message's button asks for."""
        try:
            if action == "delete":
                self._delete(message_id)
            elif not self.is_answering:
                self._act(action, message_id)
        except HistoryError as error:
            self._services.notify("error", str(error))

    def _act(self, action: str, message_id: int) -> None:
        if action == "edit":
            self.edit(message_id)
        elif action in ("previous", "next"):
            siblings = self._history.messages.siblings(message_id)
            at = siblings.index(message_id) + (1 if action == "next" else -1)
            if 0 <= at < len(siblings):
                self._history.messages.choose(siblings[at])
                self._reload(siblings[at])
        elif action == "regenerate":
            self._once_ready(lambda: self._regenerate(message_id))
        elif action == "continue":
            self._once_ready(lambda: self._continue(message_id))

    def _once_ready(self, work: Callable[[], None]) -> None:
        if self._services.engine.state == "ready":
            work()
            return
        self._when_ready = work
        self._services.notify("info", tr("The answer is asked for as soon as the model is ready."))

    def _engine_changed(self) -> None:
        if self._services.engine.state == "ready" and self._when_ready is not None and not self.is_answering:
            work, self._when_ready = self._when_ready, None
            work()

    def _regenerate(self, message_id: int) -> None:
        message = self._history.messages.get(message_id)
        if message.parent_id is None or message.conversation_id != self.conversation:
            return
        self._transcript.cut_from(message_id)
        if not (message.content.text or message.content.thinking):
            self._history.messages.delete(message_id)
        self._answer(message.parent_id)

    def _continue(self, message_id: int) -> None:
        message = self._history.messages.get(message_id)
        if message.conversation_id != self.conversation:
            return
        content = message.content
        self._history.messages.grow(message_id, content.text, content.thinking, content.thinking_ms)
        self._transcript.cut_from(message_id)
        self._run(self._history.messages.get(message_id))

    def edit(self, message_id: int) -> None:
        """Take a message into the composer; sending makes a new version of it."""
        message = self._history.messages.get(message_id)
        self.save_draft()
        self._editing = message
        self._composer.set_editing(True)
        self._composer.set_draft(Draft(message.content.text, message.content.attachments))
        self._composer.edit.setFocus()

    def edit_last(self) -> None:
        """Edit the person's latest message."""
        mine = [view.message.id for view in self._transcript.views if view.message.content.role == "user"]
        if mine and not self.is_answering:
            self.edit(mine[-1])

    def cancel_edit(self) -> None:
        """Leave the message as it is, and take the draft up again."""
        if self._editing is None:
            return
        self._editing = None
        self._composer.set_editing(False)
        self._composer.set_draft(self._history.conversations.draft(self.conversation))

    def _delete(self, message_id: int) -> None:
        followers = self._history.messages.followers(message_id)
        if followers and not confirm(
            self._transcript,
            tr("Delete this message?"),
            tr("{count} messages that follow it are deleted, too. This cannot be undone.", count=followers),
            tr("Delete"),
        ):
            return
        self.stop_answer()
        self._history.messages.delete(message_id)
        self._reload()

    def copy_last(self) -> None:
        """Copy the latest answer."""
        answers = [each.message.content for each in self._transcript.views if each.message.content.role == "assistant"]
        if answers:
            QGuiApplication.clipboard().setText(answers[-1].text)
            self._services.notify("info", tr("The last answer is copied."))

    def save_draft(self) -> None:
        """Keep what is written and not sent; what is edited is not a draft."""
        if self._editing is not None:
            return
        draft = self._composer.draft
        try:
            self._history.conversations.set_draft(self.conversation, draft)
        except HistoryError as error:
            self._services.notify("error", str(error))

    # Pictures.

    def _load_picture(self, widget: Thumbnail | MarkedPicture, attachment: Attachment, full: bool) -> None:
        history = self._history

        def draw(cancel: Cancel) -> QImage:
            return full_picture(history, attachment) if full else thumbnail_of(history, attachment, cancel)

        self._services.tasks.run(draw, done=widget.set_image, failed=_no_picture)

    def open_picture(self, attachment: Attachment, points: object) -> None:
        """Show a picture in full."""
        if attachment.kind != "image":
            self._services.notify("info", tr("{name} is kept with this conversation.", name=attachment.name))
            return
        history, parent = self._history, self._transcript

        def show(image: QImage) -> None:
            dialog = PictureDialog(attachment.name, image, cast(Sequence, points), parent)
            dialog.open()

        def failed(error: Exception) -> None:
            self._services.notify("error", str(error))

        self._services.tasks.run(lambda _cancel: full_picture(history, attachment), done=show, failed=failed)

    def forget(self, conversation: int) -> None:
        """End what goes on in a conversation that is deleted; 0 is all of them."""
        for key, running in tuple(self._running.items()):
            if conversation in (0, key):
                running.generation.stop()

    def close(self) -> None:
        """Save and stop everything."""
        self.save_draft()
        for running in self._running.values():
            running.generation.close()


class _Running:
    """An answer on its way, and what of it has been shown."""

    def __init__(self, generation: Generation, message: StoredMessage) -> None:
        self.generation = generation
        self.text = message.content.text
        self.thinking = message.content.thinking


def _warm_up(_cancel: Cancel) -> None:
    warm_up()


def _nothing(_result: None) -> None:
    pass


def _no_picture(_error: Exception) -> None:
    """Leave the place empty: opening the picture says why."""
