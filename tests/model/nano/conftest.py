"""The drawing tests need skia, which needs libEGL and libGL from the system; say so where they are missing."""

try:
    import skia  # noqa: F401 - only whether it loads is asked

    WHY = ""
except ImportError as error:
    WHY = f"skia does not load ({error}); install libegl1 and libgl1"

collect_ignore = (
    ["test_desktop_apps.py", "test_screens.py", "test_split.py", "test_training.py", "test_web_pages.py"] if WHY else []
)


def pytest_report_header() -> str:
    return f"not collected: {', '.join(collect_ignore)}: {WHY}" if WHY else "skia: loads"
