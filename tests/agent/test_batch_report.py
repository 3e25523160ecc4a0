"""Reports of batches: in a real browser, without a script, a link or a request; and the figures of a comparison."""

import itertools
import json
import math
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from agent.batch_report import render_rows, render_score
from agent.batch_report_compare import comparison, render_comparison
from agent.batch_report_gallery import Shot
from agent.batch_significance import bootstrap, compare, mcnemar
from agent.datasets import Dataset, read_dataset
from agent.predictions import read_predictions
from agent.scoring import Score, score
from model.image import open_image
from model.nano.browser import Browser, find_chromium
from tests.agent.grounding_sets import pro_row, write_json

SIZES = ((1280, 800), (1920, 1080), (3840, 2160))
APPLICATIONS = (("word", "Office"), ("vscode", "Dev"), ("blender", "Creative"), ("<b>x</b>", "OS"))


def make_set(root: Path, count: int = 120) -> Dataset:
    """Write a set of drawn screens in several sizes, with targets of several sizes."""
    chance = random.Random(4)
    rows: list[dict[str, object]] = []
    for index, (width, height) in enumerate(SIZES):
        image = Image.new("RGB", (width, height), (228, 232, 240))
        draw = ImageDraw.Draw(image)
        for number in range(24):
            left, top = 40 + number % 6 * (width // 6), 40 + number // 6 * (height // 4)
            draw.rectangle((left, top, left + width // 9, top + height // 12), fill=(90 + number * 5, 120, 190))
        (root / "images" / "shots").mkdir(parents=True, exist_ok=True)
        image.save(root / "images" / "shots" / f"{index}.png")
    for number in range(count):
        index = number % len(SIZES)
        width, height = SIZES[index]
        side = chance.choice((10, 20, 50, 100, 240))
        left, top = chance.randrange(width - side), chance.randrange(height - side)
        application, group = APPLICATIONS[number % len(APPLICATIONS)]
        rows.append(
            pro_row(
                f"r{number}",
                img_filename=f"shots/{index}.png",
                bbox=[left, top, left + side, top + side],
                img_size=[width, height],
                application=application,
                group=group,
                ui_type="icon" if number % 3 else "text",
                instruction=f"the <script>alert({number})</script> button & more",
            )
        )
    write_json(root / "annotations" / "shots_windows.json", rows)
    return read_dataset("screenspot-pro", root)


def predict(dataset: Dataset, path: Path, right: float, seed: int) -> Score:
    """Write predictions that are right so often, more so on large targets, and score them."""
    chance = random.Random(seed)
    lines: list[dict[str, object]] = []
    for item in dataset:
        target: Any = item.target
        width, height = item.size_px or (1, 1)
        x, y = (target.left + target.right) / 2, (target.top + target.bottom) / 2
        if chance.random() > right:
            x, y = chance.random() * width, chance.random() * height
        status = "not_found" if chance.random() < 0.03 else "found"
        point = [x / width, y / height] if status == "found" else None
        lines.append({"id": item.id, "status": status, "point_rel": point, "size_px": [width, height], "answer": ""})
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return score(dataset, read_predictions(path))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("Chromium is not installed")
    with Browser() as browser:
        for domain in ("Runtime", "Log", "Network"):
            browser._call(f"{domain}.enable")
        yield browser


def open_page(browser: Browser, path: Path, dark: bool) -> dict[str, Any]:
    """Open a page; fail on anything that it logs or asks for besides itself; return what it shows."""
    seen: list[dict[str, Any]] = []
    browser._events = seen
    browser.set_viewport(1240, 900, 1.0, dark)
    browser._call("Page.navigate", {"url": path.resolve().as_uri()})
    while not any(event.get("method") == "Page.loadEventFired" for event in seen):
        browser.evaluate("1")
    shown = browser.evaluate(
        """({
        charts: [...document.querySelectorAll('.chart svg')].map(s => s.getBoundingClientRect().height),
        bars: [...document.querySelectorAll('.chart rect')].filter(r => r.getBoundingClientRect().width > 0).length,
        pictures: [...document.images].map(i => i.complete && i.naturalWidth > 0),
        scripts: document.scripts.length,
        links: document.querySelectorAll('[href], [onclick], iframe, link, object').length,
        wide: document.documentElement.scrollWidth,
        background: getComputedStyle(document.body).backgroundColor,
        text: document.body.innerText})"""
    )
    for event in seen:
        method, told = event.get("method"), event.get("params", {})
        assert method not in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"), told
        if method == "Network.requestWillBeSent":
            assert told["request"]["url"].startswith(("file:///", "data:")), told["request"]["url"][:200]
    requests = [
        event["params"]["request"]["url"] for event in seen if event.get("method") == "Network.requestWillBeSent"
    ]
    assert [url for url in requests if url.startswith("file:")] == [path.resolve().as_uri()]
    return shown


@pytest.mark.parametrize("dark", [False, True])
def test_the_report_draws_charts_and_asks_for_nothing(
    browser: Browser, dataset: Dataset, tmp_path: Path, dark: bool
) -> None:
    result = predict(dataset, tmp_path / "a.jsonl", 0.6, 1)
    path = tmp_path / "report.html"
    times_ms = [random.Random(n).lognormvariate(6, 0.6) for n in range(300)]
    path.write_text(render_score("first & run", result, open_image, times_ms), encoding="utf-8")
    shown = open_page(browser, path, dark)
    for title in ("By application", "By type", "By target size", "By screen size", "Time a row took", "Misses"):
        assert title in shown["text"]
    assert len(shown["charts"]) >= 6
    assert min(shown["charts"]) > 40
    assert shown["bars"] > 20
    assert 24 <= len(shown["pictures"]) <= 48
    assert all(shown["pictures"])
    assert (shown["scripts"], shown["links"]) == (0, 0)
    assert shown["wide"] <= 1240
    assert ("rgb(20" in shown["background"]) == dark
    assert "<script>alert(" in shown["text"]  # shown as text, as it was asked
    assert f"{sum(row.verdict == 'correct' for row in result.judged)}" in shown["text"]
    (tmp_path / "report.png").write_bytes(browser.screenshot())
    assert path.stat().st_size < 4_000_000


def test_two_runs_side_by_side(browser: Browser, dataset: Dataset, tmp_path: Path) -> None:
    first, second = (predict(dataset, tmp_path / f"{n}.jsonl", right, n) for n, right in ((1, 0.5), (2, 0.85)))
    found = comparison(first, second)["overall"]["all items"]
    path = tmp_path / "compare.html"
    path.write_text(render_comparison(("old.jsonl", "new.jsonl"), first, second, open_image), encoding="utf-8")
    shown = open_page(browser, path, dark=False)
    for said in ("the second is better", f"{found.difference:+.1%}", "Only old.jsonl is right", "Item by item"):
        assert said in shown["text"]
    assert all(shown["pictures"])
    assert shown["wide"] <= 1240
    assert sum(row.total for row in comparison(first, second)["application"].values()) == found.total == 120


def test_a_run_without_right_answers_shows_samples(browser: Browser, dataset: Dataset, tmp_path: Path) -> None:
    from collections import Counter

    items = list(itertools.islice(dataset, 5))
    shots = [Shot(item.image, item.instruction, "found", None, ((0.5, 0.25, 1),)) for item in items]
    shots.append(Shot(tmp_path / "gone.png", "a picture that is gone", "found", None, ()))
    path = tmp_path / "rows.html"
    path.write_text(render_rows("rows", Counter(found=5, bad_row=2), shots, open_image), encoding="utf-8")
    shown = open_page(browser, path, dark=False)
    assert "does not exist" in shown["text"]
    assert len(shown["pictures"]) == 10
    empty = render_rows("nothing", Counter(), [], open_image)
    assert re.search("<h1>nothing</h1>", empty)


def test_mcnemar_is_the_binomial_test() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 8) == pytest.approx(2 * (1 + 9) / 2**9)
    for b, c in itertools.product(range(9), repeat=2):
        splits = [sum(flips) for flips in itertools.product((0, 1), repeat=b + c)] if b + c <= 12 else []
        if splits:
            as_far = sum(abs(ones - (b + c) / 2) >= abs(b - c) / 2 for ones in splits)
            assert mcnemar(b, c) == pytest.approx(as_far / len(splits))
    assert 0 < mcnemar(900, 1100) < 1e-4


def test_the_bootstrap_covers_what_the_normal_law_says() -> None:
    low, high = bootstrap(60, 140, 1000)
    spread = 1.96 * math.sqrt((0.2 - 0.08**2) / 1000)
    assert (low, high) == (pytest.approx(0.08 - spread, abs=0.004), pytest.approx(0.08 + spread, abs=0.004))
    assert bootstrap(60, 140, 1000) == (low, high)
    paired = compare([(True, False)] * 3 + [(False, True)] * 5 + [(True, True)] * 2)
    assert (paired.total, paired.both, paired.only_first, paired.only_second) == (10, 2, 3, 5)
    assert paired.difference == pytest.approx(0.2)
