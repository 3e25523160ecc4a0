"""What this program is, and whose work it stands on."""

from importlib import metadata

from PySide6.QtCore import qVersion

from app.translate import tr
from app.ui.services import Services
from app.ui.settings.sections import Section
from app.ui.widgets.controls import button, hint, label, row


def about_section(services: Services) -> Section:
    """Make the last section of the settings."""
    section = Section(tr("About"))
    named = label(f"Deskhand {version()} · Qt {qVersion()}", "mono")
    named.setProperty("data", True)
    named.setWordWrap(True)
    section.add_wide(named)
    section.add_wide(
        hint(
            tr(
                "Sees the screen with Kimi-VL on your own machine, and works the mouse and keyboard for you. "
                "MIT licence. The window uses Qt under the LGPL."
            )
        )
    )
    welcome = button(tr("Welcome page"), icon="info")
    welcome.clicked.connect(lambda: services.show_page("welcome"))
    section.add_wide(row(welcome, "stretch"))
    return section


def version() -> str:
    """Return the installed version, or say that it runs from a checkout."""
    try:
        return metadata.version("deskhand")
    except metadata.PackageNotFoundError:
        return tr("(from a checkout)")
