"""The resize rule, the patches and the coordinate maps, against the published table and a second writing."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from model.errors import CheckpointError, InputError
from model.image import Fit, PreprocessConfig, content_key, fit, load_preprocess, preprocess

HALF = (0.5, 0.5, 0.5)
INSTRUCT = PreprocessConfig(14, 4096, HALF, HALF, pad_input=True)
THINKING_2506 = PreprocessConfig(14, 16384, HALF, HALF, pad_input=True)
CROPPING = PreprocessConfig(14, 4096, HALF, HALF, pad_input=False)

# (source, resized, padded, grid rows × columns, tokens) for both limits: kimi-vl facts, section 7.
TABLE = [
    ((224, 224), ((224, 224), (224, 224), (16, 16), 64), None),
    ((640, 480), ((640, 480), (644, 504), (36, 46), 414), None),
    ((800, 600), ((800, 600), (812, 616), (44, 58), 638), None),
    ((896, 896), ((896, 896), (896, 896), (64, 64), 1024), None),
    ((1024, 768), ((1024, 768), (1036, 784), (56, 74), 1036), None),
    ((1280, 720), ((1202, 676), (1204, 700), (50, 86), 1075), ((1280, 720), (1288, 728), (52, 92), 1196)),
    ((1280, 800), ((1137, 710), (1148, 728), (52, 82), 1066), ((1280, 800), (1288, 812), (58, 92), 1334)),
    ((1366, 768), ((1207, 679), (1232, 700), (50, 88), 1100), ((1366, 768), (1372, 784), (56, 98), 1372)),
    ((1440, 900), ((1140, 712), (1148, 728), (52, 82), 1066), ((1440, 900), (1456, 924), (66, 104), 1716)),
    ((1792, 1792), ((896, 896), (896, 896), (64, 64), 1024), ((1792, 1792), (1792, 1792), (128, 128), 4096)),
    ((1920, 1080), ((1196, 672), (1204, 672), (48, 86), 1032), ((1920, 1080), (1932, 1092), (78, 138), 2691)),
    ((1920, 1200), ((1138, 711), (1148, 728), (52, 82), 1066), ((1920, 1200), (1932, 1204), (86, 138), 2967)),
    ((2560, 1440), ((1202, 676), (1204, 700), (50, 86), 1075), ((2404, 1352), (2408, 1372), (98, 172), 4214)),
    ((2880, 1800), ((1137, 711), (1148, 728), (52, 82), 1066), ((2275, 1422), (2296, 1428), (102, 164), 4182)),
    ((3840, 2160), ((1196, 672), (1204, 672), (48, 86), 1032), ((2392, 1345), (2408, 1372), (98, 172), 4214)),
    ((1080, 2400), ((602, 1338), (616, 1344), (96, 44), 1056), ((1080, 2400), (1092, 2408), (172, 78), 3354)),
]

sizes_px = st.tuples(st.integers(1, 8000), st.integers(1, 8000))
configs = st.sampled_from([INSTRUCT, THINKING_2506])
relative = st.floats(0, 1)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(("source_px", "low", "high"), TABLE)
def test_table_of_screens(source_px: tuple[int, int], low: tuple[object, ...], high: tuple[object, ...] | None) -> None:
    for config, expected in ((INSTRUCT, low), (THINKING_2506, high or low)):
        shape = fit(source_px, config)
        assert (shape.resized_px, shape.padded_px, shape.grid, shape.tokens) == expected
        assert (shape.source_px, shape.origin_px) == (source_px, (0, 0))


def test_limit_of_the_request_replaces_the_checkpoints() -> None:
    assert fit((1920, 1080), THINKING_2506, 4096) == fit((1920, 1080), INSTRUCT)
    assert fit((1920, 1080), INSTRUCT, 1024).tokens < 300


@settings(max_examples=600, deadline=None)
@given(sizes_px, configs)
def test_rule_over_sizes(source_px: tuple[int, int], config: PreprocessConfig) -> None:
    try:
        shape = fit(source_px, config)
    except InputError:
        assume(False)
        raise
    rows, columns = shape.grid
    assert rows % 2 == columns % 2 == 0
    assert max(rows, columns) < 512
    assert shape.padded_px == (columns * 14, rows * 14)
    assert shape.tokens == rows * columns // 4
    assert shape.tokens <= (1338 if config is INSTRUCT else 4464)  # the maxima of all 64 million sizes
    for source, resized, padded in zip(source_px, shape.resized_px, shape.padded_px, strict=True):
        assert 1 <= resized <= source
        assert 0 <= padded - resized < 28
    whole = (source_px[0] // 14) * (source_px[1] // 14)
    if whole <= config.in_token_limit:
        assert shape.resized_px == source_px
    else:
        # One scale for both sides, each rounded down: the factors' ranges for the two sides overlap.
        lows, highs = zip(
            *((r / s, (r + 1) / s) for s, r in zip(source_px, shape.resized_px, strict=True)), strict=True
        )
        assert max(lows) < min(highs)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 40), st.integers(7000, 30000), configs, st.booleans())
def test_too_long_is_refused_exactly_at_512_patches(
    short: int, long: int, config: PreprocessConfig, tall: bool
) -> None:
    size_px = (short, long) if tall else (long, short)
    whole = (short // 14) * (long // 14)
    scaled = int(long * math.sqrt(config.in_token_limit / whole)) if whole > config.in_token_limit else long
    if -(-scaled // 28) * 2 < 512:
        assert max(fit(size_px, config).grid) < 512
    else:
        with pytest.raises(InputError, match=f"{size_px[0]} × {size_px[1]} px is too long.*7140 px") as caught:
            fit(size_px, config)
        assert "\n" not in str(caught.value)
        assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("size_px", "grid"),
    [((1, 1), (2, 2)), ((3, 900), (66, 2)), ((900, 3), (2, 66)), ((13, 13), (2, 2)), ((29, 1), (2, 4))],
)
def test_tiny_pictures_are_padded_not_refused(size_px: tuple[int, int], grid: tuple[int, int]) -> None:
    patches = preprocess(noise(*size_px), INSTRUCT)
    assert patches.fit.grid == grid
    assert patches.values.shape == (grid[0] * grid[1], 3, 14, 14)


def test_a_scaled_side_is_at_least_one_pixel() -> None:
    assert fit((14, 7000), INSTRUCT, 1).resized_px == (1, 313)
    assert preprocess(noise(14, 7000), INSTRUCT, 1).fit.tokens == 12


@pytest.mark.parametrize(
    ("size_px", "limit"), [((0, 5), None), ((5, 0), None), ((5, -1), None), ((5, 5), 0), ((5, 5), -4)]
)
def test_nonsense_sizes_and_limits_are_refused(size_px: tuple[int, int], limit: int | None) -> None:
    with pytest.raises(InputError):
        fit(size_px, INSTRUCT, limit)


def naive_preprocess(image: Image.Image, config: PreprocessConfig) -> tuple[list[float], tuple[int, int]]:
    """Write the rule a second time, one pixel after another, with nothing shared."""
    width, height = image.size
    if (width // 14) * (height // 14) > config.in_token_limit:
        scale = math.sqrt(config.in_token_limit / ((width // 14) * (height // 14)))
        image = image.resize((int(width * scale), int(height * scale)), Image.Resampling.BICUBIC)
        width, height = image.size
    left = top = 0
    if config.pad_input:
        canvas_w, canvas_h = width + (28 - width % 28) % 28, height + (28 - height % 28) % 28
    else:
        canvas_w, canvas_h = width - width % 28, height - height % 28
        left, top = round((width - canvas_w) / 2.0), round((height - canvas_h) / 2.0)
    values = []
    for row in range(canvas_h // 14):
        for column in range(canvas_w // 14):
            for channel in range(3):
                for y in range(14):
                    for x in range(14):
                        at = (column * 14 + x + left, row * 14 + y + top)
                        inside = at[0] < width and at[1] < height
                        pixel = image.getpixel(at) if inside else (0, 0, 0)
                        assert isinstance(pixel, tuple)
                        unit = np.float32(pixel[channel]) / np.float32(255)
                        mean, std = np.float32(config.image_mean[channel]), np.float32(config.image_std[channel])
                        values.append(float((unit - mean) / std))
    return values, (canvas_h // 14, canvas_w // 14)


UNEVEN = PreprocessConfig(14, 60, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), True)


@pytest.mark.parametrize(
    ("size_px", "config"),
    [
        ((1, 1), INSTRUCT),
        ((28, 28), INSTRUCT),
        ((61, 45), INSTRUCT),
        ((201, 130), UNEVEN),
        ((130, 307), UNEVEN),
        ((61, 45), CROPPING),
        ((63, 100), CROPPING),
        ((310, 207), PreprocessConfig(14, 50, HALF, HALF, pad_input=False)),
    ],
)
def test_patches_equal_a_second_writing(size_px: tuple[int, int], config: PreprocessConfig) -> None:
    image = noise(*size_px, seed=size_px[0])
    expected, grid = naive_preprocess(image, config)
    patches = preprocess(image, config)
    assert patches.fit.grid == grid
    assert patches.values.dtype == np.float32
    assert patches.values.shape == (grid[0] * grid[1], 3, 14, 14)
    assert patches.values.ravel().tolist() == expected


def test_padding_is_black_before_normalising_and_right_and_bottom_only() -> None:
    patches = preprocess(Image.new("RGB", (29, 15), (255, 255, 255)), INSTRUCT)
    plane = patches.values.reshape(2, 4, 3, 14, 14).transpose(2, 0, 3, 1, 4).reshape(3, 28, 56)
    assert (plane[:, :15, :29] == 1).all()
    assert (plane[:, 15:, :] == -1).all()
    assert (plane[:, :, 29:] == -1).all()


@pytest.mark.parametrize("size_px", [(1501, 1000), (1000, 1501), (4000, 700), (200, 6000), (1920, 1080)])
def test_large_pictures_equal_pillows_bicubic_to_the_bit(size_px: tuple[int, int]) -> None:
    image = noise(*size_px)
    patches = preprocess(image, INSTRUCT)
    shape = patches.fit
    canvas = Image.new("RGB", shape.padded_px)
    canvas.paste(image.resize(shape.resized_px, Image.Resampling.BICUBIC))
    (rows, columns), back = shape.grid, np.round((patches.values * 0.5 + 0.5) * 255).astype(np.uint8)
    pixels = back.reshape(rows, columns, 3, 14, 14).transpose(0, 3, 1, 4, 2).reshape(rows * 14, columns * 14, 3)
    assert np.array_equal(pixels, np.asarray(canvas))


def test_centre_crop_keeps_the_middle_and_refuses_what_is_smaller() -> None:
    shape = fit((61, 100), CROPPING)
    assert (shape.padded_px, shape.origin_px, shape.grid) == ((56, 84), (-2, -8), (6, 4))
    with pytest.raises(InputError, match="27 × 40 px is too small"):
        fit((27, 40), CROPPING)


def test_other_modes_are_refused() -> None:
    with pytest.raises(InputError, match="RGBA, not RGB"):
        preprocess(Image.new("RGBA", (20, 20)), INSTRUCT)


@st.composite
def fits(draw: st.DrawFn) -> Fit:
    config = draw(st.sampled_from([INSTRUCT, THINKING_2506, CROPPING]))
    size_px = draw(sizes_px)
    try:
        return fit(size_px, config, draw(st.sampled_from([None, 256])))
    except InputError:
        assume(False)
        raise


@settings(max_examples=300, deadline=None)
@given(fits(), relative, relative)
def test_continuous_maps_are_inverse(shape: Fit, x: float, y: float) -> None:
    assert shape.to_relative(*shape.to_source(x, y)) == pytest.approx((x, y), abs=1e-9)
    assert shape.source_to_padded(*shape.padded_to_source(x, y)) == pytest.approx((x, y), abs=1e-9)
    point_px = shape.to_source(x, y)
    assert shape.padded_to_source(*shape.source_to_padded(*point_px)) == pytest.approx(point_px, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(fits(), st.data())
def test_every_pixel_survives_the_way_to_relative_and_back(shape: Fit, data: st.DataObject) -> None:
    width, height = shape.source_px
    pixel = data.draw(st.tuples(st.integers(0, width - 1), st.integers(0, height - 1)))
    assert shape.to_source_pixel(*shape.to_relative(pixel[0] + 0.5, pixel[1] + 0.5)) == pixel


@given(fits(), st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_pixels_stay_inside_the_picture(shape: Fit, x: float, y: float) -> None:
    x_px, y_px = shape.to_source_pixel(x, y)
    assert 0 <= x_px < shape.source_px[0]
    assert 0 <= y_px < shape.source_px[1]
    row, column = shape.patch_at(x, y)
    assert 0 <= row < shape.grid[0]
    assert 0 <= column < shape.grid[1]


def test_a_coordinate_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="not a number"):
        fit((100, 100), INSTRUCT).to_source_pixel(math.nan, 0.5)


@settings(max_examples=300, deadline=None)
@given(fits(), st.data(), st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_points_of_a_patch_box_lie_in_that_patch(shape: Fit, data: st.DataObject, x: float, y: float) -> None:
    patch = data.draw(st.tuples(st.integers(0, shape.grid[0] - 1), st.integers(0, shape.grid[1] - 1)))
    left, top, right, bottom = shape.patch_box(*patch)
    assert shape.patch_at(left + (right - left) * x, top + (bottom - top) * y) == patch


def test_maps_of_a_4k_screen_in_numbers() -> None:
    shape = fit((3840, 2160), INSTRUCT)
    assert shape.to_source(0.884, 0.144) == pytest.approx((3394.56, 311.04))
    assert shape.to_source_pixel(1.0, 1.0) == (3839, 2159)
    # 1196 of the canvas's 1204 px across are picture, and all 672 down.
    assert shape.source_to_padded(3840, 2160) == pytest.approx((1196 / 1204, 1.0))
    assert shape.padded_to_source(1.0, 0.5) == pytest.approx((3840 * 1204 / 1196, 1080))
    assert shape.patch_box(0, 0) == pytest.approx((0, 0, 14 * 3840 / 1196, 14 * 2160 / 672))


def test_a_marked_pixel_is_found_in_the_patch_the_map_names() -> None:
    image = Image.new("RGB", (1920, 1080))
    image.paste((255, 255, 255), (1300, 700, 1308, 708))
    patches = preprocess(image, INSTRUCT)
    brightest = int(patches.values.mean(axis=(1, 2, 3)).argmax())
    assert divmod(brightest, patches.fit.grid[1]) == patches.fit.patch_at(1304, 704)


GOOD = {
    "patch_size": 14,
    "in_token_limit": 4096,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "pad_input": True,
    "merge_kernel_size": [2, 2],
    "num_pooled_tokens": 1024,
    "auto_map": {"AutoProcessor": "processing_kimi_vl.KimiVLProcessor"},
}


def write(folder: Path, values: object) -> Path:
    (folder / "preprocessor_config.json").write_text(json.dumps(values))
    return folder


def test_load_preprocess(tmp_path: Path) -> None:
    assert load_preprocess(write(tmp_path, GOOD)) == INSTRUCT
    short = {key: value for key, value in GOOD.items() if key not in ("patch_size", "merge_kernel_size")}
    assert load_preprocess(write(tmp_path, short)) == INSTRUCT


@pytest.mark.parametrize("key", ["in_token_limit", "image_mean", "image_std", "pad_input"])
def test_a_missing_field_is_never_guessed(tmp_path: Path, key: str) -> None:
    write(tmp_path, {name: value for name, value in GOOD.items() if name != key})
    with pytest.raises(CheckpointError, match=rf"preprocessor_config\.json: '{key}' is missing"):
        load_preprocess(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("in_token_limit", 0),
        ("in_token_limit", 4096.0),
        ("in_token_limit", True),
        ("in_token_limit", 10**9),
        ("patch_size", -14),
        ("patch_size", "14"),
        ("image_mean", [0.5, 0.5]),
        ("image_mean", 0.5),
        ("image_mean", [0.5, 0.5, "0.5"]),
        ("image_mean", [0.5, 0.5, True]),
        ("image_mean", [0.5, 0.5, math.nan]),
        ("image_mean", [127.5, 127.5, 127.5]),
        ("image_std", [0.5, 0.0, 0.5]),
        ("pad_input", "true"),
        ("pad_input", None),
        ("merge_kernel_size", [3, 3]),
        ("merge_kernel_size", 2),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, key: str, value: object) -> None:
    write(tmp_path, GOOD | {key: value})
    with pytest.raises(CheckpointError, match=rf"preprocessor_config\.json: '{key}' ") as caught:
        load_preprocess(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json is missing"):
        load_preprocess(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text("[1")
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json cannot be read"):
        load_preprocess(tmp_path)
    with pytest.raises(CheckpointError, match="not a JSON object"):
        load_preprocess(write(tmp_path, [1]))


def test_content_key_follows_pixels_and_size_only() -> None:
    image = noise(700, 600)
    key = content_key(image)
    assert content_key(Image.frombytes("RGB", image.size, image.tobytes())) == key
    changed = image.copy()
    changed.putpixel((699, 599), (0, 1, 2))
    tagged = image.copy()
    tagged.info["comment"] = "not a pixel"
    assert content_key(tagged) == key
    others = [changed, Image.frombytes("RGB", (600, 700), image.tobytes()), image.crop((0, 0, 700, 599))]
    assert len({key, *map(content_key, others)}) == 4


def test_torch_is_not_imported() -> None:
    code = "import sys, model.image; sys.exit('torch' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SHAPES = ((672, 448), (1137, 710), (1196, 672), (640, 1137))


@pytest.mark.parametrize(
    ("source", "shape"),
    [
        ((1280, 800), (1137, 710)),
        ((1920, 1080), (1196, 672)),
        ((3840, 2160), (1196, 672)),
        ((672, 448), (672, 448)),
        ((660, 440), (672, 448)),
        ((1080, 1920), (640, 1137)),
    ],
)
def test_a_checkpoint_taught_on_few_shapes_is_shown_no_other(source: tuple[int, int], shape: tuple[int, int]) -> None:
    rules = replace(INSTRUCT, shapes_px=SHAPES)
    shown = fit(source, rules)
    assert shown.resized_px == shape
    assert shown.to_source(0.25, 0.75) == (source[0] * 0.25, source[1] * 0.75)
    x, y = shown.padded_to_source(*shown.source_to_padded(10.5, 20.5))
    assert (x, y) == pytest.approx((10.5, 20.5))


def test_a_shape_above_the_caller_s_limit_is_passed_over() -> None:
    rules = replace(INSTRUCT, shapes_px=SHAPES)
    assert fit((1280, 800), rules, 1600).resized_px == (672, 448)
    assert fit((1280, 800), rules, 100).resized_px == fit((1280, 800), INSTRUCT, 100).resized_px
