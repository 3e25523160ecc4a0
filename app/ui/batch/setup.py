"""The start of a batch: what to read, what to ask, and who answers."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from agent.datasets import DATASETS
from app.translate import tr
from app.ui.batch.answerer import LOCAL_WORKERS, SERVER_WORKERS
from app.ui.batch.source import FOLDER, SAVED, TABLES, Source, detect
from app.ui.services import Services
from app.ui.widgets.controls import button, hint, label, pad_spin_box, row, subheading
from app.ui.widgets.flow import flow
from model.errors import InputError

_LEAST_CHARACTERS = 12
_BILINGUAL = ("screenspot-pro",)


@dataclass(frozen=True, slots=True)
class Request:
    """What the person wants to be run. ``endpoint`` is a server's name, empty for the engine."""

    source: Source
    endpoint: str
    looks: int
    votes: int
    workers: int


def kind_text(kind: str) -> str:
    """Name a kind of input."""
    names = {
        FOLDER: tr("Folder of pictures"),
        "csv": tr("CSV table"),
        "jsonl": tr("JSON lines"),
        "parquet": tr("Parquet table"),
        SAVED: tr("Saved Hugging Face dataset"),
        "screenspot": "ScreenSpot",
        "screenspot-v2": "ScreenSpot-V2",
        "screenspot-pro": "ScreenSpot-Pro",
        "osworld-g": "OSWorld-G",
        "osworld-g-refined": "OSWorld-G refined",
    }
    return names.get(kind, kind)


class SetupPanel(QFrame):
    """Asks for the input and the model; ``wanted`` carries the `Request`."""

    wanted = Signal(object)

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.path: Path | None = None
        self.images: Path | None = None
        self.setProperty("role", "card")
        self.chosen = label(tr("Drop a folder, a table or a published set here"), "subheading")
        self.about = hint(
            tr("A folder of pictures; CSV, JSON lines or Parquet with image and instruction; ScreenSpot and its kin.")
        )
        self.pick_folder = button(tr("Choose folder…"), icon="folder")
        self.pick_file = button(tr("Choose file…"), icon="list")
        self.kind = QComboBox()
        self.instruction = QLineEdit()
        self.language = QComboBox()
        self.pictures = button(tr("As the input says"), icon="folder")
        self.model = QComboBox()
        self.looks, self.votes, self.workers = QSpinBox(), QSpinBox(), QSpinBox()
        for box in (self.looks, self.votes, self.workers):
            pad_spin_box(box)
        self.problem = label("", "danger")
        self.start = button(tr("Start"), icon="play", role="primary")
        self._lay_out()
        self._connect()
        self.refresh_models()
        self._update()

    def _lay_out(self) -> None:
        self.problem.setWordWrap(True)
        self.problem.setProperty("data", True)
        self.problem.hide()
        self.language.setProperty("data", True)
        self.chosen.setWordWrap(True)
        self.chosen.setProperty("data", True)
        self.instruction.setPlaceholderText(tr("What to find in every picture, such as: the Save button"))
        self.language.addItem("English", "en")
        self.language.addItem("中文", "cn")
        for spin, low, high, value in ((self.looks, 1, 6, 3), (self.votes, 1, 9, 1), (self.workers, 1, 64, 4)):
            spin.setRange(low, high)
            spin.setValue(value)
            spin.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            spin.setMinimumWidth(88)
        for box in (self.kind, self.language, self.model):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(_LEAST_CHARACTERS)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.looks.setToolTip(tr("How often it may zoom into its own answer"))
        self.votes.setToolTip(tr("Ask so often and take what most answers agree on"))
        self.workers.setToolTip(tr("Rows asked at once"))
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self.form.setHorizontalSpacing(16)
        self.form.setVerticalSpacing(8)
        for text, field in (
            (tr("Read as"), self.kind),
            (tr("Instruction"), self.instruction),
            (tr("Asked in"), self.language),
            (tr("Pictures lie in"), self.pictures),
            (tr("Answered by"), self.model),
        ):
            self.form.addRow(text, field)
            field.setAccessibleName(text)
        for text, spin in ((tr("Looks"), self.looks), (tr("Votes"), self.votes), (tr("At once"), self.workers)):
            spin.setAccessibleName(text)
        counts = flow(
            self.looks, row(label(tr("Votes")), self.votes), row(label(tr("At once")), self.workers), spacing=12
        )
        self.form.addRow(tr("Looks"), counts)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 20)
        column.setSpacing(12)
        column.addWidget(subheading(tr("New run")))
        column.addWidget(self._drop_zone())
        column.addLayout(self.form)
        column.addWidget(self.problem)
        column.addWidget(row("stretch", self.start))

    def _drop_zone(self) -> QFrame:
        zone = QFrame()
        zone.setProperty("role", "raised")
        layout = QVBoxLayout(zone)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(self.chosen)
        layout.addWidget(self.about)
        layout.addWidget(flow(self.pick_folder, self.pick_file))
        return zone

    def _connect(self) -> None:
        self.pick_folder.clicked.connect(self._ask_folder)
        self.pick_file.clicked.connect(self._ask_file)
        self.kind.currentIndexChanged.connect(self._update)
        self.instruction.textChanged.connect(self._update)
        self.model.currentIndexChanged.connect(self._model_changed)
        self.pictures.clicked.connect(self._ask_images)
        self.start.clicked.connect(self._start)
        self.instruction.returnPressed.connect(self.start.click)
        self.services.engine.changed.connect(self.refresh_models)

    def choose(self, path: Path) -> None:
        """Take an input that was dropped or chosen; what it is is recognised, and can be changed."""
        self.problem.hide()
        try:
            kind = detect(path)
        except InputError as error:
            self._complain(str(error))
            return
        self.path, self.images = path, None
        self.pictures.setText(tr("As the input says"))
        self.kind.clear()
        kinds = [kind] if path.is_file() else list(dict.fromkeys((kind, FOLDER, SAVED, *DATASETS)))
        for each in kinds:
            self.kind.addItem(kind_text(each), each)
        self.chosen.setText(path.name or str(path))
        self.about.setText(str(path))
        self.about.setProperty("data", True)
        self._update()
        (self.instruction if kind == FOLDER else self.start).setFocus()

    def refresh_models(self) -> None:
        """List the engine, as it is now, and the servers that are known."""
        chosen = self.model.currentData() or ""
        self.model.blockSignals(True)
        self.model.clear()
        engine = self.services.engine
        state = {
            "none": tr("no model is loaded"),
            "starting": tr("loading…"),
            "ready": engine.card.id if engine.card else engine.name,
            "restarting": tr("being started again…"),
            "failed": tr("failed"),
        }[engine.state]
        self.model.addItem(tr("This window's model: {name}", name=state), "")
        for endpoint in self.services.settings.value.endpoints:
            self.model.addItem(f"{endpoint.name} ({endpoint.url})", endpoint.name)
        self.model.setCurrentIndex(max(0, self.model.findData(chosen)))
        self.model.blockSignals(False)
        self._update()

    def _model_changed(self) -> None:
        self.workers.setValue(SERVER_WORKERS if self.model.currentData() else LOCAL_WORKERS)
        self._update()

    def _update(self) -> None:
        kind = self.kind.currentData() or ""
        is_set = kind in DATASETS
        for field, shown in (
            (self.kind, self.path is not None),
            (self.instruction, kind == FOLDER),
            (self.language, kind in _BILINGUAL),
            (self.pictures, is_set or kind in TABLES.values()),
        ):
            self.form.setRowVisible(field, shown)
        words = kind != FOLDER or bool(self.instruction.text().strip())
        answers = bool(self.model.currentData()) or self.services.engine.state == "ready"
        self.start.setEnabled(self.path is not None and words and answers)
        lacks = [
            (self.path is None, tr("Choose what to read first")),
            (not words, tr("Say what to find first")),
            (not answers, tr("Load a model first, on the Models page")),
        ]
        self.start.setToolTip(next((said for lack, said in lacks if lack), ""))

    def _complain(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def _start(self) -> None:
        if self.path is None:
            return
        kind = str(self.kind.currentData())
        source = Source(
            self.path,
            kind,
            self.instruction.text().strip() if kind == FOLDER else "",
            self.images,
            str(self.language.currentData()) if kind in _BILINGUAL else "en",
        )
        endpoint = str(self.model.currentData() or "")
        self.wanted.emit(Request(source, endpoint, self.looks.value(), self.votes.value(), self.workers.value()))

    def _ask_folder(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, tr("Choose a folder"), self._near()):
            self.choose(Path(chosen))

    def _ask_file(self) -> None:
        tables = " ".join(f"*{suffix}" for suffix in TABLES)
        title, kinds = tr("Choose a table"), tr("Tables ({suffixes})", suffixes=tables)
        chosen, _kind = QFileDialog.getOpenFileName(self, title, self._near(), kinds)
        if chosen:
            self.choose(Path(chosen))

    def _ask_images(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, tr("Choose the folder of the pictures"), self._near()):
            self.images = Path(chosen)
            self.pictures.setText(self.images.name)

    def _near(self) -> str:
        return str(self.path.parent if self.path is not None else Path.home())
