"""What a person has chosen, kept in one JSON file. Knows no Qt."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from model.errors import InputError

HOME_VARIABLE = "DESKHAND_HOME"

Theme = Literal["system", "light", "dark", "contrast"]
Mode = Literal["watch", "confirm", "guarded", "run"]


def data_folder() -> Path:
    """Return the folder that everything of the app lies in: ``DESKHAND_HOME``, or the system's place for it."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("deskhand", appauthor=False)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class EndpointSettings(_Part):
    """A server of somebody else's. ``model`` None takes the first that it serves; ``api_key`` None sends none."""

    name: str
    url: str
    model: str | None = None
    api_key: str | None = None


class AgentSettings(_Part):
    """How a run of the agent begins, see `agent.policy`. Applications are named by their window's class."""

    mode: Mode = "guarded"
    max_steps: int = Field(default=50, ge=1, le=1000)
    max_minutes: int = Field(default=30, ge=1, le=1440)
    allowed_apps: tuple[str, ...] = ()
    denied_apps: tuple[str, ...] = ()
    show_marker: bool = True
    marker_ms: int = Field(default=600, ge=0, le=5000)


class HotkeySettings(_Part):
    """Keys that work everywhere on the desktop, as Qt spells them; empty is none."""

    capture: str = "Ctrl+Alt+Space"
    pause: str = "Ctrl+Alt+P"
    stop: str = "Ctrl+Alt+Esc"


class ServerSettings(_Part):
    """How the local server listens when it is switched on."""

    port: int = Field(default=8000, ge=1, le=65535)
    everywhere: bool = False
    api_key: str = ""


class Settings(_Part):
    """Everything at once. ``pages`` is for what a page remembers, under the page's own name."""

    theme: Theme = "system"
    language: str = "system"
    text_percent: int = Field(default=100, ge=100, le=300)
    model: str = "builtin"
    quantize: Literal["int8", "int4"] | None = None
    load_at_start: bool = True
    idle_unload_minutes: int = Field(default=0, ge=0, le=1440)
    endpoints: tuple[EndpointSettings, ...] = ()
    endpoint: str = ""
    server: ServerSettings = ServerSettings()
    agent: AgentSettings = AgentSettings()
    hotkeys: HotkeySettings = HotkeySettings()
    close_to_tray: bool = False
    welcomed: bool = False
    page: str = ""
    pages: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)


class SettingsStore:
    """The settings and the file they lie in; readable by nobody else, as keys are in it.

    A file that cannot be read is put aside, the defaults hold, and ``problem`` says so. Used from one thread.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problem = ""
        self._told: list[Callable[[Settings], None]] = []
        self._value = self._read()

    @property
    def value(self) -> Settings:
        """The settings as they are now."""
        return self._value

    def change(self, **fields: object) -> None:
        """Change some, save them all, and tell the subscribers; raise `InputError` for a value that is none."""
        try:
            changed = Settings.model_validate({**self._value.model_dump(), **_plain(fields)})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{first['input']!r} cannot be set as {place}", why=first["msg"]) from error
        if changed == self._value:
            return
        self._value = changed
        self._save()
        for told in tuple(self._told):
            told(changed)

    def subscribe(self, callback: Callable[[Settings], None]) -> Callable[[], None]:
        """Call ``callback`` with the settings after each change; what is returned ends that."""
        self._told.append(callback)

        def unsubscribe() -> None:
            if callback in self._told:
                self._told.remove(callback)

        return unsubscribe

    def reset(self) -> None:
        """Take every default again, but leave endpoints as they are: their keys are not ours to lose."""
        kept = {"endpoints": self._value.endpoints, "welcomed": True}
        self.change(**{**Settings().model_dump(), **kept})

    def _read(self) -> Settings:
        try:
            return Settings.model_validate_json(self.file.read_bytes())
        except FileNotFoundError:
            return Settings()
        except (OSError, ValidationError) as error:
            aside = self.file.with_suffix(".broken.json")
            self.problem = f"{self.file} could not be read and the defaults hold; it is kept as {aside.name}: {error}"
            if self.file.exists():
                self.file.replace(aside)
            return Settings()

    def _save(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes a file that only its owner may read; the rename is what makes the change atomic.
        descriptor, name = tempfile.mkstemp(dir=self.file.parent, prefix=".settings-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                json.dump(self._value.model_dump(mode="json"), out, ensure_ascii=False, indent=1)
                out.flush()
                os.fsync(out.fileno())
            Path(name).replace(self.file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _plain(fields: dict[str, object]) -> dict[str, object]:
    return {name: _dumped(value) for name, value in fields.items()}


def _dumped(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return [_dumped(each) for each in value] if isinstance(value, list | tuple) else value
