import io
import os
from pathlib import Path

import pytest
from PIL import Image

from model.wire.errors import RequestError
from model.wire.pictures import PictureLimits, PictureReader, path_of_file_url, png_data_url
from tests.model.wire_samples import data_url, image_url, of_user, png, png_bomb, refused


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_a_picture_arrives_with_the_same_pixels(mode: str, tmp_path: Path) -> None:
    data = png(mode=mode)
    (tmp_path / "a.png").write_bytes(data)
    wanted = Image.open(io.BytesIO(data)).convert("RGB")
    for sent in (data, tmp_path / "a.png", Image.open(io.BytesIO(data))):
        assert PictureReader().open(png_data_url(sent), "here").tobytes() == wanted.tobytes()


def test_a_plain_png_is_not_encoded_again() -> None:
    assert png_data_url(png()) == data_url(png())


def test_a_rotated_photograph_is_sent_upright() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 4)).save(file, "PNG", exif=exif)
    assert PictureReader().open(png_data_url(file.getvalue()), "here").size == (4, 8)


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png,abc",
        "data:image/png;base64",
        "data:image/png;base64,***",
        "data:image/png;base64,abc",
        "data:image/png;base64,aGVsbG8=",
        "data:image/png;base64,",
        "ftp://host/a.png",
        "a.png",
        "",
    ],
)
def test_a_picture_that_is_none_is_refused_where_it_stands(url: str) -> None:
    error = refused(of_user({"type": "text", "text": "see"}, image_url(url)))
    assert (error.status, error.param) == (400, "messages[0].content[1]")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.png", "HTTPS://example.org/a.png"])
def test_remote_pictures_are_never_fetched(url: str) -> None:
    error = refused(of_user(image_url(url)))
    assert error.code == "remote_image_refused"
    assert "not fetched" in str(error)


def test_a_bomb_is_refused_from_its_header() -> None:
    bomb = png_bomb(20_000, 10_000)
    assert len(bomb) < 100_000
    error = refused(of_user(image_url(data_url(bomb))))
    assert error.code == "invalid_image"
    assert "200.0 megapixels" in str(error)


def test_the_pictures_of_a_request_are_counted_and_their_pixels_added_up() -> None:
    reader = PictureReader(limits=PictureLimits(images=3, pixels=20, total_pixels=50))
    url = data_url(png((5, 4)))
    assert reader.open(url, "first").size == (5, 4)
    assert reader.open(url, "second").size == (5, 4)
    with pytest.raises(RequestError, match="all pictures of a request together"):
        reader.open(url, "third")
    with pytest.raises(RequestError, match="more than 3 pictures"):
        reader.open(data_url(png((1, 1))), "fourth")


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Make a folder with an allowed part, a forbidden part, and ways between them."""
    allowed, forbidden = tmp_path / "allowed", tmp_path / "forbidden"
    allowed.mkdir()
    forbidden.mkdir()
    for folder in (allowed, forbidden):
        (folder / "a picture.png").write_bytes(png())
    (allowed / "way out").symlink_to(forbidden)
    (allowed / "link.png").symlink_to(forbidden / "a picture.png")
    (allowed / "inner.png").symlink_to(allowed / "a picture.png")
    (allowed / "loop").symlink_to(allowed / "loop")
    (tmp_path / "alias").symlink_to(allowed)
    return tmp_path


def test_files_inside_the_folder_are_read_however_they_are_named(media: Path) -> None:
    reader = PictureReader([media / "alias"])
    for name in ("allowed/a picture.png", "allowed/inner.png", "alias/a picture.png", "forbidden/../alias/inner.png"):
        url = "file://" + str(media / name).replace(" ", "%20")
        assert reader.open(url, "here").size == (5, 4), name
    assert reader.open((media / "allowed/a picture.png").as_uri().replace("file://", "file://localhost"), "here")


@pytest.mark.parametrize(
    "name",
    [
        "forbidden/a picture.png",
        "allowed/../forbidden/a picture.png",
        "allowed/%2e%2e/forbidden/a picture.png",
        "allowed/way out/a picture.png",
        "allowed/link.png",
        "allowed-not/x.png",
        "forbidden/missing.png",
    ],
)
def test_files_outside_the_folder_are_refused_whether_they_exist_or_not(media: Path, name: str) -> None:
    with pytest.raises(RequestError, match="only inside the folders given by --media-dir") as caught:
        PictureReader([media / "allowed"]).open(f"file://{media}/{name}", "here")
    assert (caught.value.status, caught.value.code) == (403, "path_not_allowed")
    assert str(media) not in str(caught.value), "the answer must not tell where links lead"


def test_without_a_folder_no_file_is_read(media: Path) -> None:
    with pytest.raises(RequestError, match="without --media-dir"):
        PictureReader().open((media / "allowed/inner.png").as_uri(), "here")


@pytest.mark.parametrize(
    "url", ["file://host/a.png", "file:a.png", "file:///a.png?x", "file:///a.png#x", "file:///a%00.png", "file://"]
)
def test_malformed_file_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        path_of_file_url(url)
    assert refused(of_user(image_url(url))).status == 400


def test_missing_files_folders_pipes_and_loops_inside_the_folder_are_refused(media: Path) -> None:
    os.mkfifo(media / "allowed/pipe")
    reader = PictureReader([media / "allowed"])
    for name in ("missing.png", "", "pipe", "loop"):
        with pytest.raises(RequestError) as caught:
            reader.open(f"file://{media}/allowed/{name}", "here")
        assert caught.value.status in (400, 403), name
