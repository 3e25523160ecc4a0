"""The history of chats: conversations, their messages as trees, attachments and drafts, in SQLite. Knows no Qt."""

from app.store.conversations import NEW_CHAT
from app.store.errors import HistoryError
from app.store.history import History, open_history
from app.store.messages import Page
from app.store.values import Attachment, Conversation, Draft, Figures, Hit, NewMessage, StoredMessage, StoredPoint
from app.store.writer import AnswerWriter

__all__ = [
    "NEW_CHAT",
    "AnswerWriter",
    "Attachment",
    "Conversation",
    "Draft",
    "Figures",
    "History",
    "HistoryError",
    "Hit",
    "NewMessage",
    "Page",
    "StoredMessage",
    "StoredPoint",
    "open_history",
]
