"""A model as eyes: it is asked for a point on a frame."""

import threading

from agent.locate import LocateOptions, Location, locate
from agent.types import Frame
from model.chat import ChatModel


class ModelEyes:
    """Find described elements by asking a model, as `agent.locate` does; implements `agent.episode.Eyes`."""

    def __init__(self, model: ChatModel, options: LocateOptions = LocateOptions()) -> None:
        self._model = model
        self._options = options

    def find(self, frame: Frame, description: str, cancel: threading.Event) -> Location:
        """Return where the element is, relative to the frame. Raises what the model raises."""
        return locate(self._model, frame.image(), description, self._options, cancel)
