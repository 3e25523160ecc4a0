"""What can go wrong with the history."""

from model.errors import ModelError


class HistoryError(ModelError):
    """A history that cannot be opened, read or written; names the file."""
