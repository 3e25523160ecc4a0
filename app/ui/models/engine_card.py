"""What is loaded now: its state, what it can do, the memory it takes, and when it is unloaded by itself."""

import psutil
from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QSpinBox, QVBoxLayout, QWidget

from app.output import human_bytes
from app.translate import tr
from app.ui.models.card import capability_text
from app.ui.services import Services
from app.ui.widgets.controls import button, hint, label, pad_spin_box, restyle
from app.ui.widgets.flow import flow

_LOOK_MS = 2000


class EngineCard(QFrame):
    """Shows the engine. ``test_wanted`` asks for three targets to be located."""

    test_wanted = Signal()

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.setProperty("role", "card")
        self.setAccessibleName(tr("Loaded model"))
        self.title = label("", "subheading")
        self.state = label("")
        self.facts = hint("")
        self.test = button(tr("Test this model"), icon="region", tip=tr("Locate three targets on a sample picture"))
        self.unload = button(tr("Unload"), icon="close")
        self.restart = button(tr("Start again"), icon="refresh")
        self.idle = QSpinBox()
        pad_spin_box(self.idle)
        self._pulse = QTimer(self)
        self._pulse.setInterval(_LOOK_MS)
        self._lay_out()
        self.test.clicked.connect(self.test_wanted)
        self.unload.clicked.connect(services.engine.unload)
        self.restart.clicked.connect(services.engine.restart)
        self.idle.valueChanged.connect(self._idle_changed)
        self._pulse.timeout.connect(self._measure)
        services.engine.measured.connect(self._tell_facts)
        services.engine.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.title.setProperty("data", True)
        self.facts.setProperty("data", True)
        self.idle.setRange(0, 1440)
        self.idle.setSuffix(" " + tr("min"))
        self.idle.setSpecialValueText(tr("never"))
        self.idle.setValue(self.services.settings.value.idle_unload_minutes)
        self.idle.setAccessibleName(tr("Unload when idle for"))
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        column.addWidget(flow(self.title, "stretch", self.state))
        column.addWidget(self.facts)
        column.addWidget(flow(self.test, self.restart, self.unload))
        column.addWidget(flow(label(tr("Unload when idle for")), self.idle))

    def refresh(self) -> None:
        """Show what the engine says now."""
        engine = self.services.engine
        texts = {
            "none": (tr("no model is loaded"), "muted"),
            "starting": (tr("loading…"), "muted"),
            "ready": (tr("ready"), "success"),
            "restarting": (tr("being started again…"), "warning"),
            "failed": (tr("failed"), "danger"),
        }
        said, role = texts[engine.state]
        self.title.setText((engine.card.id if engine.card else engine.name) or tr("Nothing is loaded"))
        self.state.setText(said)
        restyle(self.state, role)
        self.test.setEnabled(
            engine.state == "ready" and engine.card is not None and "ground" in engine.card.capabilities
        )
        self.unload.setEnabled(engine.state != "none")
        self.restart.setVisible(engine.state in ("failed", "ready"))
        self._tell_facts()

    def _tell_facts(self) -> None:
        engine, facts = self.services.engine, list[str]()
        if engine.message:
            facts.append(engine.message)
        if engine.state == "ready" and engine.card is not None:
            facts.append(", ".join(capability_text(name) for name in engine.card.capabilities))
            if engine.card.context_tokens:
                facts.append(tr("{count} tokens of context", count=f"{engine.card.context_tokens:,}"))
            if engine.quantize:
                facts.append(engine.quantize)
            if engine.endpoint is not None:
                facts.append(engine.endpoint.url)
            if (held := engine.card.gpu_used_bytes) is not None:
                total = engine.card.gpu_total_bytes or 0
                facts.append(tr("{used} of {total} of GPU memory", used=human_bytes(held), total=human_bytes(total)))
            if (used := _memory_bytes(engine.pid)) is not None:
                facts.append(tr("{size} of memory in use", size=human_bytes(used)))
        self.facts.setText("  ·  ".join(facts))
        self.facts.setVisible(bool(facts))

    def _measure(self) -> None:
        self.services.engine.measure()
        self._tell_facts()

    def look(self, on: bool) -> None:
        """Follow the memory while the page is seen."""
        if on:
            self.refresh()
            self._pulse.start()
        else:
            self._pulse.stop()

    def _idle_changed(self, minutes: int) -> None:
        self.services.settings.change(idle_unload_minutes=minutes)


def _memory_bytes(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return None
