"""Write a score as ScreenSpot-Pro's own result log, the form in which its leaderboard takes results."""

from collections import defaultdict
from collections.abc import Callable

from agent.datasets.item import Box, Item
from agent.predictions import Language, Prediction
from agent.scoring import Judged, Score, metrics
from model.errors import InputError

_STYLE, _TARGET = "instruction", "positive"
_METRICS = ("num_correct_action", "num_total", "wrong_format_num", "action_acc", "text_acc", "icon_acc")


def pro_log(result: Score, language: Language = "en") -> dict[str, object]:
    """Return the log of a scored ScreenSpot-Pro run, asked in one language.

    Items without an answer stand in it as wrong formats, so that its accuracy is of the whole set. Raises
    `InputError` for another set.
    """
    if result.dataset != "screenspot-pro":
        raise InputError(f"the log is of screenspot-pro, not of {result.dataset}")

    def group_by(key: Callable[[Item], str]) -> dict[str, dict[str, object]]:
        found: dict[str, list[Judged]] = defaultdict(list)
        for row in result.judged:
            found[key(row.item)].append(row)
        return {name: _metrics(rows) for name, rows in found.items()}

    asked = f"inst_style:{_STYLE} gt_type:{_TARGET}"
    return {
        "details": [_detail(row, language) for row in result.judged],
        "metrics": {
            "fine_grained": group_by(lambda item: f"plat:{item.platform} app:{item.application} {asked}"),
            "seeclick_style": group_by(lambda item: f"plat:{item.platform} {asked}"),
            "leaderboard_simple_style": group_by(lambda item: f"group:{item.group}"),
            "leaderboard_detailed_style": group_by(lambda item: f"app:{item.application}"),
            "overall": _metrics(list(result.judged)),
        },
    }


def _metrics(rows: list[Judged]) -> dict[str, object]:
    counted = metrics(rows)
    unanswered = sum(row.verdict in ("wrong_format", "missing") for row in rows)
    return {key: counted[key] for key in _METRICS} | {"wrong_format_num": unanswered}


def _detail(row: Judged, language: Language) -> dict[str, object]:
    item, prediction = row.item, row.prediction
    box = item.target
    if not isinstance(box, Box):
        raise TypeError(f"{item.id} has no box; every item of ScreenSpot-Pro has one")
    return {
        "id": item.id,
        "img_path": item.image_name,
        "group": item.group,
        "platform": item.platform,
        "application": item.application,
        "lang": language,
        "instruction_style": _STYLE,
        "prompt_to_evaluate": item.instruction if language == "en" else item.instruction_cn,
        "gt_type": _TARGET,
        "ui_type": item.ui_type,
        "task_filename": item.source,
        "pred": _pixels(item, prediction),
        "raw_response": "" if prediction is None else prediction.answer,
        "bbox": [box.left, box.top, box.right, box.bottom],
        "correctness": "wrong_format" if row.verdict == "missing" else row.verdict,
    }


def _pixels(item: Item, prediction: Prediction | None) -> list[float] | None:
    if prediction is None or prediction.point is None:
        return None
    if prediction.space == "pixel" or item.size_px is None:
        return list(prediction.point)
    return [prediction.point[0] * item.size_px[0], prediction.point[1] * item.size_px[1]]
