"""``deskhand doctor``: what this machine has and lacks."""

import argparse
import math
from dataclasses import asdict

from app.output import emit, emit_json

_SIGNS = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    task = parser.add_mutually_exclusive_group()
    task.add_argument(
        "--release", action="store_true", help="let go of every key and button that a killed run has left held"
    )
    task.add_argument(
        "--calibrate",
        action="store_true",
        help="click our own targets on every monitor and print by how many pixels the clicks missed",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print every finding; exit code 1 when something that is needed is missing."""
    if args.release:
        return _release(as_json=args.json)
    if args.calibrate:
        return _calibrate(as_json=args.json)
    from app.diagnostics import diagnose

    findings = diagnose()
    lacking = any(finding.status == "missing" for finding in findings)
    if args.json:
        emit_json({"ok": not lacking, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            emit(f"{_SIGNS[finding.status]}  {finding.name}: {finding.detail}")
            if finding.remedy:
                emit(f"         -> {finding.remedy}")
    return 1 if lacking else 0


def _release(*, as_json: bool) -> int:
    from agent.hands.release import release_everything

    released = release_everything()
    if as_json:
        emit_json({"released": list(released)})
    elif released:
        for what in released:
            emit(f"released {what}")
    else:
        emit("nothing was held")
    return 0


def _calibrate(*, as_json: bool) -> int:
    from agent.calibrate import TOLERANCE_PX
    from app.calibration import calibrate_here

    done = calibrate_here()
    worst = done.worst_px()
    if as_json:
        hits = [asdict(hit) | {"error_px": _told(hit.error_px)} for hit in done.hits]
        told = {monitor: _told(error_px) for monitor, error_px in worst.items()}
        emit_json(
            {
                "exact": done.exact,
                "tolerance_px": TOLERANCE_PX,
                "worst_px": told,
                "own_windows_hidden_ms": None if done.hide_ms is None else round(done.hide_ms, 2),
                "hits": hits,
            }
        )
    else:
        for monitor, error_px in worst.items():
            scales = [hit.scale for hit in done.hits if hit.monitor == monitor]
            emit(f"{monitor}: {len(scales)} targets clicked at scale {scales[0]:g}, largest error {error_px:.2f} px")
        if done.hide_ms is not None:
            emit(f"our own windows are in no picture of the screen: they are off it in {done.hide_ms:.1f} ms")
        emit("exact" if done.exact else f"NOT exact: a click missed by more than {TOLERANCE_PX:g} px")
    return 0 if done.exact else 1


def _told(error_px: float) -> float | None:
    """Return an error for JSON, which knows no infinity: a click that arrived at another window has none."""
    return round(error_px, 3) if math.isfinite(error_px) else None
