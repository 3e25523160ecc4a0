"""The chat page: history, transcript and composer."""
