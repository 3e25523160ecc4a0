import stat
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from model.errors import InputError, ResourceError
from model.inputs.decode import open_image
from model.remote.frames import PREFIX, FrameStore, sweep
from tests.model.wire_samples import png


def test_a_picture_is_written_once_without_loss_and_for_this_user_alone(tmp_path: Path) -> None:
    picture = Image.effect_noise((31, 17), 80).convert("RGB")
    (tmp_path / "a.png").write_bytes(png())
    with FrameStore(tmp_path) as store:
        first, again, other = store.hold(picture), store.hold(picture.copy()), store.hold(picture.rotate(180))
        assert first == again != other
        assert open_image(first).tobytes() == picture.tobytes()
        assert store.hold(tmp_path / "a.png") == store.hold(png()), "a file and its bytes are one picture"
        assert store.hold(tmp_path / "a.png").read_bytes() == png(), "what is encoded is not encoded again"
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
        folder = store.folder
    assert not folder.exists()


def test_pictures_of_the_same_bytes_and_another_shape_are_two(tmp_path: Path) -> None:
    with FrameStore(tmp_path) as store:
        assert store.hold(Image.new("RGB", (4, 2))) != store.hold(Image.new("RGB", (2, 4)))


def test_a_picture_that_is_none_and_a_folder_that_cannot_be_written_are_said_so(tmp_path: Path) -> None:
    with FrameStore(tmp_path) as store, pytest.raises(InputError, match="does not exist"):
        store.hold(tmp_path / "none.png")
    with pytest.raises(ResourceError, match="TMPDIR"):
        FrameStore(tmp_path / "none")


def test_frames_nobody_holds_are_dropped_beyond_the_limit(tmp_path: Path) -> None:
    with FrameStore(tmp_path, max_bytes=100) as store:
        held = [store.hold(png((index + 1, 1))) for index in range(3)]
        assert all(path.exists() for path in held), "what is held is never dropped"
        store.release(held)
        assert [path.exists() for path in held].count(True) < 3
        assert held[-1].exists(), "the longest unused go first"
        assert store.hold(png((1, 1))).exists()


def test_the_folders_of_dead_processes_are_swept_and_no_others(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f"{PREFIX}{ended.pid}-abc"
    dead.mkdir()
    (dead / "frame").write_bytes(b"x")
    other = tmp_path / f"{PREFIX}notes"
    other.mkdir()
    with FrameStore(tmp_path) as store:
        assert sweep(tmp_path) == 1
        assert store.folder.exists()
        assert not dead.exists()
    other.rmdir()
