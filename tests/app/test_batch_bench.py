"""``deskhand bench batch`` on this machine, with a small random network."""

import json

import pytest

from app import cli


def test_figures_and_their_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    call = ["bench", "batch", "--random", "tiny", "--device", "cpu", "--images", "1", "--instructions", "1,3"]
    assert cli.run([*call, "--budget-s", "1", "--json"]) == 0
    cases = json.loads(capsys.readouterr().out)["cases"]
    assert [(case["instructions"], case["images"], case["encoded"]) for case in cases] == [(1, 1, 1), (3, 1, 1)]
    assert cases[1]["cached_share"] > 0.5 > cases[0]["cached_share"]
    for case in cases:
        assert case["ratio"] == pytest.approx(case["images_per_s"] / case["images_per_s_alone"], rel=0.05)
        assert case["gpu_busy"] is None
    assert cli.run([*call[:-1], "0"]) == 2
