"""Cards that say what this machine can do, and what that means for each model."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout

from app.diagnostics import Finding
from app.model_fit import ModelFit
from app.output import human_bytes
from app.translate import tr
from app.ui import probe
from app.ui.icons import pixmap
from app.ui.services import Services
from app.ui.tasks import Task
from app.ui.widgets.controls import hint, label, subheading

_SIGNS = {"ok": ("check", "success"), "warning": ("warning", "warning"), "missing": ("close", "danger")}
_VERDICTS = {"fits": "success", "tight": "warning", "will not fit": "danger"}
_TOLD = (
    "system",
    "CPU",
    "memory",
    "display",
    "screen capture",
    "mouse and keyboard",
    "permissions",
    "system libraries",
    "download folder",
    "PyTorch",
)


class _AskingCard(QFrame):
    """A card that fills itself when a worker has the answer."""

    def __init__(self, services: Services, title: str, waiting: str) -> None:
        super().__init__()
        self.services = services
        self.setProperty("role", "card")
        self.setAccessibleName(title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 16, 16, 16)
        self.column.setSpacing(8)
        self.column.addWidget(subheading(title))
        self.waiting = hint(waiting)
        self.column.addWidget(self.waiting)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(12)
        self.grid.setVerticalSpacing(8)
        self.column.addLayout(self.grid)
        self.task: Task | None = None

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self.task is not None:
            self.task.cancel()

    def failed(self, error: Exception) -> None:
        """Say why there is no answer."""
        self.waiting.setText(str(error))


class MachineCard(_AskingCard):
    """What the doctor finds, in a few lines, each lack with its remedy."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, tr("This machine"), tr("Looking at this machine…"))
        self.task = services.tasks.run(probe.findings, done=self._show, failed=self.failed)

    def _show(self, found: list[Finding]) -> None:
        self.waiting.hide()
        told = [each for each in found if each.status != "ok" or each.name in _TOLD or each.name.startswith("GPU")]
        for line, finding in enumerate(told):
            tokens = self.services.theme.tokens
            name, colour = _SIGNS[finding.status]
            sign = QLabel()
            sign.setPixmap(pixmap(name, getattr(tokens, colour), round(18 * tokens.text_px / 14)))
            sign.setAccessibleName(_said(finding.status))
            self.grid.addWidget(sign, line, 0, Qt.AlignmentFlag.AlignTop)
            title = label(finding.name)
            words = label(finding.detail + (f"\n→ {finding.remedy}" if finding.remedy else ""), "muted")
            for text in (title, words):
                text.setProperty("data", True)
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.grid.addWidget(title, line, 1, Qt.AlignmentFlag.AlignTop)
            self.grid.addWidget(words, line, 2)
        self.grid.setColumnStretch(2, 1)


class ModelsCard(_AskingCard):
    """Each model with the best number format that fits, and the numbers behind that."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, tr("Models on this machine"), tr("Working out which models fit…"))
        self.task = services.tasks.run(probe.fits, done=self._show, failed=self.failed)

    def _show(self, found: list[ModelFit]) -> None:
        self.waiting.hide()
        line = 0
        top = Qt.AlignmentFlag.AlignTop
        for name in dict.fromkeys(fit.model for fit in found):
            formats = [fit for fit in found if fit.model == name]
            title = label(name)
            title.setProperty("data", True)
            here = tr("on this machine") if formats[0].folder else tr("download: {size}", size=_size(formats[0]))
            self.grid.addWidget(title, line, 0, 1, 3)
            self.grid.addWidget(label(here, "small"), line, 3)
            for step, fit in enumerate(formats, line + 1):
                self.grid.addWidget(label(format_name(fit), "muted"), step, 1, top)
                self.grid.addWidget(label(verdict(fit), _VERDICTS[fit.verdict]), step, 2, top)
                numbers = label(numbers_of(fit), "small")
                numbers.setWordWrap(True)
                self.grid.addWidget(numbers, step, 3, top)
            line += len(formats) + 1
        self.grid.setColumnMinimumWidth(0, 8)
        self.grid.setColumnStretch(3, 1)


def format_name(fit: ModelFit) -> str:
    """Name the number format."""
    return fit.quantize or tr("as stored")


def verdict(fit: ModelFit) -> str:
    """Say the verdict in the person's language."""
    return {"fits": tr("fits"), "tight": tr("tight")}.get(fit.verdict) or tr("will not fit")


def numbers_of(fit: ModelFit) -> str:
    """Say what is needed, of what, and where."""
    return tr(
        "needs {needed} of {free} free on {device} (weights {weights}, context {cache}, work {work})",
        needed=human_bytes(fit.needed_bytes),
        free=human_bytes(fit.available_bytes),
        device=fit.device,
        weights=human_bytes(fit.weight_bytes),
        cache=human_bytes(fit.cache_bytes),
        work=human_bytes(fit.work_bytes),
    )


def _size(fit: ModelFit) -> str:
    return human_bytes(fit.size_bytes)


def _said(status: str) -> str:
    return {"ok": tr("good"), "warning": tr("warning")}.get(status) or tr("missing")
