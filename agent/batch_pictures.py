"""The pictures of a batch: decoded once each, and encoded by the model once each.

Of several questions about one picture the first leads: the others wait until its answer has begun. By then
the model holds the picture's features and the prompt up to its end, and theirs begin behind that.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from PIL import Image

from model.chat import ChatModel, Delta, GenerateOptions, Message

Source = Path | bytes
"""A picture: its file, or the bytes of one."""

OpenImage = Callable[[Source], Image.Image]
_POLL_S = 0.1


def picture_key(source: Source) -> str:
    """Return a name that two sources share only when they are the same file or the same bytes."""
    if isinstance(source, bytes):
        return hashlib.blake2b(source, digest_size=16).hexdigest()
    return str(source)


class Pictures:
    """The last ``keep`` pictures, each decoded once even when several threads want it."""

    def __init__(self, open_image: OpenImage, keep: int) -> None:
        self._open = open_image
        self._keep = keep
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Future[Image.Image], threading.Event]] = OrderedDict()

    def open(self, source: Source, ended: threading.Event) -> tuple[Image.Image, threading.Event | None]:
        """Return a picture, and for the first that asks for it the event to set once its answer has begun.

        The others get it only after that, or when ``ended`` is set. What decoding raises is raised to all.
        """
        key = picture_key(source)
        with self._lock:
            known = self._known.get(key)
            mine = known is None
            if known is None:
                known = self._known[key] = (Future(), threading.Event())
                if len(self._known) > self._keep:
                    self._known.popitem(last=False)
            else:
                self._known.move_to_end(key)
        decoded, begun = known
        if mine:
            try:
                decoded.set_result(self._open(source))
            except BaseException as error:
                begun.set()
                decoded.set_exception(error)
                raise
            return decoded.result(), begun
        while not begun.wait(_POLL_S) and not ended.is_set():
            pass
        return decoded.result(), None


class Leading:
    """A model that sets an event when an answer begins."""

    def __init__(self, model: ChatModel, begun: threading.Event) -> None:
        self._model = model
        self._begun = begun

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Pass the answer on."""
        for delta in self._model.stream(messages, options, cancel):
            self._begun.set()
            yield delta
