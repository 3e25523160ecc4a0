"""The settings page: what is chosen is saved and holds at once."""

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.settings import Settings
from app.translate import LANGUAGES, tr
from app.ui.page import Page
from app.ui.services import Services
from app.ui.settings.about import about_section
from app.ui.settings.sections import KeyField, Section, choice, names, number, switch
from app.ui.widgets.controls import button, confirm, heading, scroll
from app.ui.widgets.flow import flow

_WIDTH_PX = 860


class SettingsPage(Page):
    """Builds its sections anew when all settings have been reset."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(services, parent)
        self._column: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._build()
        services.theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self._inner.setMaximumWidth(round(_WIDTH_PX * self.services.theme.tokens.text_px / 14))

    def _build(self) -> None:
        if self._column is not None:
            self._layout.removeWidget(self._column)
            self._column.deleteLater()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 24, 0, 24)
        column.setSpacing(16)
        column.addWidget(heading(tr("Settings")))
        for section in (
            self._look(),
            self._model(),
            self._agent(),
            self._keys(),
            self._data(),
            about_section(self.services),
        ):
            column.addWidget(section)
        column.addStretch(1)
        self._inner = inner
        self._fit()
        centred = QWidget()
        holder = QHBoxLayout(centred)
        holder.setContentsMargins(24, 0, 24, 0)
        holder.addStretch(1)
        holder.addWidget(inner, 100)
        holder.addStretch(1)
        self._column = scroll(centred)
        self._layout.addWidget(self._column)

    @property
    def _value(self) -> Settings:
        return self.services.settings.value

    def _set(self, name: str, value: object) -> None:
        self.services.settings.change(**{name: value})

    def _set_in(self, part: str, name: str, value: object) -> None:
        held = getattr(self._value, part).model_dump()
        self.services.settings.change(**{part: {**held, name: value}})

    def _look(self) -> Section:
        section = Section(tr("Look"))
        themes = [
            (tr("As the system"), "system"),
            (tr("Light"), "light"),
            (tr("Dark"), "dark"),
            (tr("High contrast"), "contrast"),
        ]
        section.add(tr("Theme"), choice(themes, self._value.theme, lambda value: self._set("theme", value)))
        sizes = [(f"{percent} %", percent) for percent in (100, 110, 125, 150, 175, 200, 250, 300)]
        known = [percent for _, percent in sizes]
        if self._value.text_percent not in known:
            sizes.append((f"{self._value.text_percent} %", self._value.text_percent))
        section.add(
            tr("Text size"), choice(sizes, self._value.text_percent, lambda value: self._set("text_percent", value))
        )
        languages = [(tr("As the system"), "system"), *((name, code) for code, name in LANGUAGES.items())]
        spoken = choice(languages, self._value.language, lambda value: self._set("language", value))
        spoken.setProperty("data", True)  # each language is called by its own name
        section.add(tr("Language"), spoken, tr("Holds from the next start."))
        section.add_wide(
            switch(
                tr("Closing the window leaves it in the tray"),
                self._value.close_to_tray,
                lambda on: self._set("close_to_tray", on),
            ),
            tr("On desktops that have a tray. Ctrl+Q ends Deskhand in any case."),
        )
        return section

    def _model(self) -> Section:
        section = Section(tr("Model"))
        line = QLineEdit(self._value.model)
        line.setPlaceholderText("builtin")
        line.editingFinished.connect(lambda: self._set("model", line.text().strip() or "builtin"))
        section.add(
            tr("Model at start"), line, tr("“builtin”, a folder, or a Hugging Face id. The Models page sets this, too.")
        )
        formats = [(tr("As stored"), None), ("int8", "int8"), ("int4", "int4")]
        section.add(
            tr("Number format"), choice(formats, self._value.quantize, lambda value: self._set("quantize", value))
        )
        section.add_wide(
            switch(
                tr("Load it when Deskhand starts"), self._value.load_at_start, lambda on: self._set("load_at_start", on)
            )
        )
        section.add(
            tr("Unload when idle for"),
            number(
                self._value.idle_unload_minutes,
                (0, 1440),
                lambda minutes: self._set("idle_unload_minutes", minutes),
                tr(" minutes"),
                tr("never"),
                5,
            ),
            tr("Frees the memory until the model is loaded again."),
        )
        return section

    def _agent(self) -> Section:
        agent = self._value.agent
        section = Section(tr("Agent"), tr("How a run begins; the Agent page can choose otherwise for one run."))
        modes = [
            (tr("Watch: show, never act"), "watch"),
            (tr("Confirm each step"), "confirm"),
            (tr("Guarded: confirm what is risky"), "guarded"),
            (tr("Run: act within the limits"), "run"),
        ]
        section.add(tr("Mode"), choice(modes, agent.mode, lambda value: self._set_in("agent", "mode", value)))
        section.add(
            tr("Most steps"),
            number(agent.max_steps, (1, 1000), lambda value: self._set_in("agent", "max_steps", value)),
        )
        section.add(
            tr("Most time"),
            number(
                agent.max_minutes,
                (1, 1440),
                lambda value: self._set_in("agent", "max_minutes", value),
                tr(" minutes"),
            ),
        )
        section.add(
            tr("Only these applications"),
            names(
                agent.allowed_apps, lambda value: self._set_in("agent", "allowed_apps", value), "firefox, libreoffice"
            ),
            tr("Window classes with commas between them. Empty: every application that is not denied."),
        )
        section.add(
            tr("Never these applications"),
            names(agent.denied_apps, lambda value: self._set_in("agent", "denied_apps", value), "keepassxc"),
        )
        section.add_wide(
            switch(
                tr("Mark the place of a click before it happens"),
                agent.show_marker,
                lambda on: self._set_in("agent", "show_marker", on),
            ),
            tr("On the real screen, and absent from the pictures that the model sees."),
        )
        section.add(
            tr("Show it for"),
            number(
                agent.marker_ms, (0, 5000), lambda value: self._set_in("agent", "marker_ms", value), " ms", step=100
            ),
        )
        return section

    def _keys(self) -> Section:
        keys = self._value.hotkeys
        section = Section(
            tr("Keys that work everywhere"),
            tr("On a Wayland desktop, bind “deskhand window --capture” to a key in the desktop's own settings."),
        )
        for caption, name in (
            (tr("Ask about a part of the screen"), "capture"),
            (tr("Pause the agent"), "pause"),
            (tr("Stop the agent"), "stop"),
        ):
            field = KeyField(
                caption, getattr(keys, name), lambda value, name=name: self._set_in("hotkeys", name, value)
            )
            section.add(caption, field)
        return section

    def _data(self) -> Section:
        section = Section(
            tr("Data"), tr("Chats, runs, settings and logs lie in one folder. Nothing is sent anywhere; no telemetry.")
        )
        folder = QLineEdit(str(self.services.data_folder))
        folder.setReadOnly(True)
        folder.setProperty("data", True)
        section.add(tr("Folder"), folder)
        opened = button(tr("Open the folder"), icon="folder")
        opened.clicked.connect(self._open_folder)
        logs = button(tr("Logs"), icon="list")
        logs.clicked.connect(lambda: self.services.show_page("logs"))
        reset = button(tr("Reset all settings…"), icon="refresh", name="reset")
        reset.clicked.connect(self.reset)
        section.add_wide(flow(opened, logs, "stretch", reset))
        return section

    def reset(self) -> None:
        """Take every default again, if the person really wants that."""
        question = tr("Every setting gets its default again. Chats, runs, models and endpoints stay.")
        if confirm(self, tr("Reset all settings?"), question, tr("Reset")):
            self.services.settings.reset()
            self._build()

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.services.data_folder)))
