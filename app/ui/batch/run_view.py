"""A run on the screen: how far it is, its rows, and what is behind each of them."""

from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QMenu,
    QProgressBar,
    QSizePolicy,
    QSplitter,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.translate import tr
from app.ui.batch.choice import COLUMNS, Choice
from app.ui.batch.entry import Entry, bands
from app.ui.batch.export import formats_of
from app.ui.batch.figures import Figures
from app.ui.batch.past import figures_text, state_text
from app.ui.batch.record import Record
from app.ui.batch.table import EntryTable
from app.ui.batch.viewer import EntryView
from app.ui.services import Services
from app.ui.widgets.controls import button, icon_button, label, restyle, row

_TYPING_MS = 150
_WIDTHS_PX = {
    "number": 76,
    "picture": 130,
    "instruction": 220,
    "outcome": 96,
    "point": 96,
    "distance": 72,
    "application": 110,
    "size": 72,
    "time": 72,
}


class RunView(QWidget):
    """Shows a record and its entries. What the person wants leaves it as signals."""

    back_wanted = Signal()
    pause_wanted = Signal()
    go_on_wanted = Signal()
    stop_wanted = Signal()
    resume_wanted = Signal()
    export_wanted = Signal(str)

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.record: Record | None = None
        self.model = EntryTable(self)
        self.table = QTableView()
        self.view = EntryView(services)
        self.figures = Figures()
        self.back = icon_button("chevron-left", tr("All runs"))
        self.title = label("", "subheading")
        self.state = label("")
        self.numbers = label("", "muted")
        self.bar = QProgressBar()
        self.notice = label("", "warning")
        self.pause = button(tr("Pause"), icon="pause")
        self.go_on = button(tr("Go on"), icon="play", role="primary")
        self.stop = button(tr("Stop"), icon="stop")
        self.resume = button(tr("Resume"), icon="play", role="primary")
        self.export = button(tr("Export"), icon="upload")
        self.outcome, self.application, self.band = QComboBox(), QComboBox(), QComboBox()
        self.words = QLineEdit()
        self.shown_count = label("", "small")
        self.tabs = QTabWidget()
        self._typing = QTimer(self)
        self._drawn = -1
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for text in (self.title, self.numbers, self.notice, self.shown_count):
            text.setProperty("data", True)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.numbers.setWordWrap(True)
        self.notice.setWordWrap(True)
        self.notice.hide()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Progress"))
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        top = row(self.back, self.title, self.state, self.pause, self.go_on, self.stop, self.resume, self.export)
        inner = top.layout()
        if inner is not None:
            inner.setStretch(1, 1)  # pyright: ignore[reportAttributeAccessIssue] - `row` makes a box layout
        self._fill_filters()
        self._set_up_table()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(8)
        search = row(self.words, self.outcome)
        for line in (search, row(self.application, self.band, "stretch")):
            column.addWidget(line)
        column.addWidget(self.table, 1)
        column.addWidget(self.shown_count)
        self.tabs.addTab(self.view, tr("Picture"))
        self.tabs.addTab(self.figures, tr("Charts"))
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName(tr("Details"))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(self.tabs)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        left.setMinimumWidth(300)
        self.tabs.setMinimumWidth(300)
        split.setSizes([560, 480])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for widget in (top, self.bar, self.numbers, self.notice):
            layout.addWidget(widget)
        layout.addWidget(split, 1)

    def _fill_filters(self) -> None:
        self.words.setPlaceholderText(tr("Search rows"))
        self.words.setAccessibleName(tr("Search rows"))
        self.words.setClearButtonEnabled(True)
        for text, outcome in (
            (tr("All rows"), "all"),
            (tr("Right"), "correct"),
            (tr("Missed"), "missed"),
            (tr("Not found"), "not_found"),
            (tr("Bad rows"), "bad"),
            (tr("No answer"), "failed"),
        ):
            self.outcome.addItem(text, outcome)
        self.application.addItem(tr("All applications"), "")
        self.band.addItem(tr("All sizes"), "")
        for band in bands():
            self.band.addItem(band, band)
        for box, name in (
            (self.outcome, tr("Outcome")),
            (self.application, tr("Application")),
            (self.band, tr("Target size")),
        ):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.setMinimumWidth(80)
            box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.application.hide()
        self.band.hide()

    def _set_up_table(self) -> None:
        self.table.setModel(self.model)
        self.table.setAccessibleName(tr("Rows"))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.verticalHeader().hide()
        # One height for all: Qt would otherwise measure a hundred thousand rows.
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.table.horizontalHeader()
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self.table.setSortingEnabled(True)
        self._measure()

    def _measure(self) -> None:
        scale = self.services.theme.tokens.text_px / 14
        self.table.verticalHeader().setDefaultSectionSize(round(32 * scale))
        for number, name in enumerate(COLUMNS):
            self.table.setColumnWidth(number, round(_WIDTHS_PX[name] * scale))

    def _connect(self) -> None:
        self.back.clicked.connect(self.back_wanted)
        self.pause.clicked.connect(self.pause_wanted)
        self.go_on.clicked.connect(self.go_on_wanted)
        self.stop.clicked.connect(self.stop_wanted)
        self.resume.clicked.connect(self.resume_wanted)
        self.words.textChanged.connect(self._typing.start)
        self._typing.timeout.connect(self._choose)
        for box in (self.outcome, self.application, self.band):
            box.currentIndexChanged.connect(self._choose)
        self.table.selectionModel().selectionChanged.connect(self._selected)
        self.figures.application_chosen.connect(self._filter_application)
        self.figures.band_chosen.connect(self._filter_band)
        self.tabs.currentChanged.connect(self._draw_figures)
        self.services.theme.changed.connect(self._theme_changed)

    def begin(self, record: Record, *, live: bool) -> None:
        """Show another run, as yet without entries."""
        self._drawn = -1
        self.model.clear()
        self.view.show_entry(None, None)
        self.figures.show_entries(())
        for box in (self.outcome, self.application, self.band):
            box.setCurrentIndex(0)
        self.words.clear()
        while self.application.count() > 1:
            self.application.removeItem(1)
        self.table.setColumnHidden(COLUMNS.index("application"), not record.source.is_set)
        self.table.setColumnHidden(COLUMNS.index("size"), not record.source.is_set)
        self.table.setColumnHidden(COLUMNS.index("distance"), not record.source.is_set)
        self.application.setVisible(record.source.is_set)
        self.band.setVisible(record.source.is_set)
        menu = QMenu(self.export)
        names = {
            "jsonl": tr("Results as JSON lines…"),
            "csv": tr("Table as CSV…"),
            "pro": tr("ScreenSpot-Pro log…"),
            "html": tr("Report as HTML…"),
        }
        for name in formats_of(record):
            action = QAction(names[name], menu)
            action.setData(name)
            menu.addAction(action)
        menu.triggered.connect(self._export)
        old = self.export.menu()
        self.export.setMenu(menu)
        if old is not None:
            old.deleteLater()
        self.tell("")
        self.show_record(record, live=live)

    def show_record(self, record: Record, *, live: bool, paused: bool = False, pace: str = "") -> None:
        """Show how far the run is; ``pace`` is its rate and the time left, in words."""
        self.record = record
        self.title.setText(record.title)
        self.title.setToolTip(str(record.source.path))
        shown_state = tr("paused") if paused else state_text(record)
        self.state.setText(shown_state)
        tone = "warning" if paused else {"done": "success", "failed": "danger"}.get(record.state, "muted")
        restyle(self.state, tone)
        self.bar.setRange(0, max(1, record.total) if record.total or not live else 0)
        self.bar.setValue(record.done)
        self.numbers.setText(" · ".join(part for part in (figures_text(record), pace) if part))
        self.pause.setVisible(live and not paused)
        self.go_on.setVisible(live and paused)
        self.stop.setVisible(live)
        self.resume.setVisible(not live and record.state != "done")
        self.export.setEnabled(not live and record.done > 0)

    def tell(self, text: str) -> None:
        """Say what a person should know; an empty text takes it away."""
        self.notice.setText(text)
        self.notice.setVisible(bool(text))

    def add(self, added: Sequence[Entry], changed: Sequence[Entry]) -> None:
        """Take in entries."""
        if not added and not changed:
            return
        known = {self.application.itemData(number) for number in range(self.application.count())}
        new = sorted({entry.application for entry in added} - known)
        for name in new:
            self.application.addItem(name, name)
        self.model.add(added)
        self.model.change(changed)
        self._tell_shown()
        self._draw_figures()
        if self.view.entry is None and self.model.rowCount():
            self.table.selectRow(0)

    def closing(self) -> None:
        """Stop what runs here."""
        self._typing.stop()
        self.view.close_picture()

    def _draw_figures(self) -> None:
        # A tenth more entries change the charts visibly; drawing them for each would take the time of the rows.
        count = len(self.model.entries)
        done = self.record is not None and self.record.state == "done"
        if self.tabs.currentWidget() is self.figures and (count > 1.02 * self._drawn or done or self._drawn < 0):
            self._drawn = count
            self.figures.show_entries(self.model.entries)

    def _choose(self) -> None:
        self.model.choose(
            Choice(
                self.outcome.currentData(),
                str(self.application.currentData() or ""),
                str(self.band.currentData() or ""),
                self.words.text(),
            )
        )
        self._tell_shown()

    def _tell_shown(self) -> None:
        shown, there = self.model.rowCount(), len(self.model.entries)
        if self.model.choice.lets_all:
            self.shown_count.setText(tr("{count} rows", count=f"{there:,}"))
        else:
            self.shown_count.setText(tr("{shown} of {count} rows", shown=f"{shown:,}", count=f"{there:,}"))

    def _filter_application(self, name: str) -> None:
        self.application.setCurrentIndex(max(0, self.application.findData(name)))

    def _filter_band(self, name: str) -> None:
        self.band.setCurrentIndex(max(0, self.band.findData(name)))

    def _selected(self, selected: QItemSelection, _before: QItemSelection) -> None:
        rows = selected.indexes()
        if rows and self.record is not None:
            self.view.show_entry(self.record.source, self.model.entry(rows[0].row()))

    def _export(self, action: QAction) -> None:
        self.export_wanted.emit(str(action.data()))

    def _theme_changed(self) -> None:
        self._measure()
        self.model.retitle()
