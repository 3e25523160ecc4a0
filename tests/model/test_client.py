import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from model.chat import Delta, GenerateOptions, complete, message
from model.client import Endpoint, Timeouts
from model.errors import EndpointError, InputError
from model.serve import ModelCard, ServeSettings
from tests.model.serving import TOKEN, PacedModel, serving, words
from tests.model.wire_samples import png

HI = [message("user", "hi")]
FAST = Timeouts(connect_s=5, silence_s=20)


@pytest.fixture
def endpoint() -> Iterator[tuple[Endpoint, PacedModel]]:
    model = PacedModel()
    with serving(model) as server, Endpoint(server.url, api_key=TOKEN, timeouts=FAST) as endpoint:
        yield endpoint, model


# --- a good server ------------------------------------------------------------------------------


def test_text_thinking_usage_and_finish_come_through(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, model = endpoint
    options = GenerateOptions(max_tokens=6, temperature=0.5, top_p=0.5, seed=4, stop=("zz",), image_token_limit=9)
    *pieces, last = there.stream(HI, options)
    (asked, got), expected = model.seen[0], list(words(HI, options))
    assert (asked, got) == (tuple(HI), options)
    assert "".join(piece.thinking for piece in pieces) == "".join(expected[:2])
    assert "".join(piece.text for piece in pieces) == "".join(expected[2:])
    assert all(piece.finish is None and piece.usage is None for piece in pieces)
    assert (last.text, last.finish) == ("", "length")
    assert last.usage is not None
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (1, 6)
    assert (last.usage.cached_tokens, last.usage.image_tokens) == (1, 7)
    assert last.usage.total_ms >= last.usage.time_to_first_token_ms > 0


@pytest.mark.parametrize("prefix", ["Once ", "  ", "◁think▷let me see◁/think▷It"])
def test_the_prefix_is_part_of_the_answer(endpoint: tuple[Endpoint, PacedModel], prefix: str) -> None:
    there, model = endpoint
    options = GenerateOptions(max_tokens=4, prefix=prefix)
    answer = complete(there, HI, options)
    assert model.seen[0][1].prefix == prefix
    local = complete(PacedModel(), HI, options)
    if "◁" in prefix:
        assert answer.thinking.startswith("let me see")
        assert answer.text.startswith("It")
    else:
        assert (answer.text, answer.thinking) == (local.text, local.thinking)


def test_the_model_is_asked_for_when_it_is_not_named(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, _ = endpoint
    assert there.card() == ModelCard("tiny")
    assert complete(there, HI, GenerateOptions(max_tokens=1)).finish == "length"


def test_an_address_without_the_version_is_completed() -> None:
    assert Endpoint("http://127.0.0.1:8000/").url == "http://127.0.0.1:8000/v1"
    assert Endpoint("http://127.0.0.1:8000/v1/").url == "http://127.0.0.1:8000/v1"
    assert Endpoint("https://host/api/v3").url == "https://host/api/v3"
    for wrong in ("", "host:8000", "ftp://host", "http://"):
        with pytest.raises(InputError, match="not the address"):
            Endpoint(wrong)


@pytest.mark.parametrize("as_files", [False, True])
def test_pictures_arrive_with_their_pixels(tmp_path: Path, as_files: bool) -> None:
    model, media = PacedModel(), tmp_path / "media"
    media.mkdir()
    (tmp_path / "a.png").write_bytes(png())
    memory = Image.effect_noise((30, 20), 90).convert("RGB")
    asked = [message("user", tmp_path / "a.png", png((7, 7)), memory, "what?")]
    settings = ServeSettings(token=TOKEN, media_dirs=(media,))
    with (
        serving(model, settings) as server,
        Endpoint(server.url, api_key=TOKEN, media_dir=media if as_files else None) as there,
    ):
        for _ in range(2):
            complete(there, asked, GenerateOptions(max_tokens=1))
        files = [path for path in media.rglob("*") if path.is_file()]
        assert len(files) == (3 if as_files else 0), "the same picture is written once"
        if as_files:
            assert all(folder.stat().st_mode & 0o777 == 0o700 for folder in media.iterdir())
    (asked_there,), _ = model.seen[0]
    sent = [image for part in asked_there.parts if isinstance(image := getattr(part, "image", None), Image.Image)]
    assert [image.size for image in sent] == [(5, 4), (7, 7), (30, 20)]
    assert sent[2].tobytes() == memory.tobytes()
    assert list(media.iterdir()) == [], "the pictures are deleted with the endpoint"


def test_a_broken_picture_is_the_callers_error_and_asks_nothing(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, model = endpoint
    with pytest.raises(InputError, match="not a picture"):
        complete(there, [message("user", b"nonsense")])
    with pytest.raises(InputError, match="does not exist"):
        complete(there, [message("user", Path("/nowhere/a.png"))])
    assert model.seen == []


# --- letting go ---------------------------------------------------------------------------------


def test_cancelling_ends_the_answer_and_the_work(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, model = endpoint
    model.pace_s, cancel = 0.01, threading.Event()
    pieces = []
    for piece in there.stream(HI, GenerateOptions(max_tokens=100_000), cancel):
        pieces.append(piece)
        if len(pieces) == 3:
            cancel.set()
    assert pieces[-1].finish == "cancelled"
    assert pieces[-1].usage is not None
    _until(lambda: model.closed == 1)
    assert model.cancelled == 1


def test_cancelling_before_the_first_word_closes_the_connection_at_once(
    endpoint: tuple[Endpoint, PacedModel],
) -> None:
    there, model = endpoint
    model.pace_s, cancel = 3600.0, threading.Event()
    arrived: list[Delta] = []
    asking = threading.Thread(target=lambda: arrived.extend(there.stream(HI, GenerateOptions(), cancel)))
    asking.start()
    _until(lambda: len(model.seen) == 1)
    cancel.set()
    asking.join(5)
    assert not asking.is_alive()
    assert [piece.finish for piece in arrived] == ["cancelled"]
    _until(lambda: model.closed == 1)


def test_cancelled_beforehand_nothing_is_asked(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, model = endpoint
    cancel = threading.Event()
    cancel.set()
    (only,) = there.stream(HI, GenerateOptions(), cancel)
    assert (only.finish, model.seen) == ("cancelled", [])


def test_closing_the_iterator_stops_the_work(endpoint: tuple[Endpoint, PacedModel]) -> None:
    there, model = endpoint
    model.pace_s = 0.01
    stream = there.stream(HI, GenerateOptions(max_tokens=100_000))
    next(stream)
    stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    _until(lambda: model.closed == 1)
    assert model.cancelled == 1


def test_closing_the_endpoint_ends_its_streams_and_its_thread() -> None:
    with serving(PacedModel(pace_s=0.01)) as server:
        there = Endpoint(server.url, api_key=TOKEN)
        stream = there.stream(HI, GenerateOptions(max_tokens=100_000))
        next(stream)
        there.close()
        with pytest.raises(EndpointError, match="closed"):
            list(stream)
        with pytest.raises(EndpointError, match="closed"):
            next(there.stream(HI))
        server.wait_until(lambda health: health["active"] == 0)
        there.close()
        _until(lambda: not _endpoint_threads())


def test_an_endpoint_that_is_dropped_cleans_up_after_itself(tmp_path: Path) -> None:
    with serving(PacedModel(), ServeSettings(token=TOKEN, media_dirs=(tmp_path,))) as server:
        there = Endpoint(server.url, api_key=TOKEN, media_dir=tmp_path)
        complete(there, [message("user", png())], GenerateOptions(max_tokens=1))
        assert list(tmp_path.iterdir())
        del there
        _until(lambda: not _endpoint_threads())
        assert list(tmp_path.iterdir()) == []


def _endpoint_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("endpoint ")]


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
