"""``deskhand doctor``: what this machine has and lacks."""

import argparse
from dataclasses import asdict

from app.output import emit, emit_json

_SIGNS = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print every finding; exit code 1 when something that is needed is missing."""
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
