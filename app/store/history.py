"""`History`: everything that was ever said, in one folder."""

from pathlib import Path

from app.store.conversations import Conversations
from app.store.database import Database, set_aside
from app.store.errors import HistoryError
from app.store.files import AttachmentFiles
from app.store.messages import Messages
from app.store.search import MAX_HITS, search
from app.store.values import Hit

FILE_NAME = "history.sqlite3"
FILES_FOLDER = "attachments"


class History:
    """The history of one data folder; safe to use from many threads. Close it after use.

    Answers that were being written when the program ended last are marked as interrupted. Raises
    `HistoryError` for a file that a newer Deskhand wrote, or that is broken.
    """

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / FILE_NAME)
        self.conversations = Conversations(self.database)
        self.messages = Messages(self.database)
        self.files = AttachmentFiles(folder / FILES_FOLDER)
        self.interrupted = self.messages.interrupt_streaming()

    def search(self, query: str, limit: int = MAX_HITS) -> list[Hit]:
        """Find messages and titles that have every word of a query, see `app.store.search`."""
        return search(self.database, query, limit)

    def sweep(self) -> int:
        """Delete the attached files that neither a message nor a draft has any more; return how many."""
        drafts = {each.digest for draft in self.conversations.drafts() for each in draft.attachments}
        return self.files.sweep(self.messages.digests() | drafts)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def open_history(folder: Path) -> tuple[History, str]:
    """Open the history of a folder; one that cannot be used is put aside and a new one is begun.

    The second value tells the person so, and where the old one is; empty when all is well.
    """
    try:
        return History(folder), ""
    except HistoryError as error:
        aside = set_aside(folder / FILE_NAME)
        return History(folder), f"{error} It is kept as {aside}, and a new history has been begun."
