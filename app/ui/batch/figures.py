"""The charts of a run: how often it is right, by what, and how long it takes."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.translate import tr
from app.ui.batch.entry import Entry
from app.ui.batch.summary import Share, accuracy_by, accuracy_by_band, by_status, seconds, times_of
from app.ui.batch.table import status_text
from app.ui.widgets.charts import Bar, BarChart, Histogram, HistogramChart
from app.ui.widgets.controls import card, hint, scroll, subheading


class Figures(QWidget):
    """Charts of entries. Choosing a bar asks for its rows: ``application_chosen`` and ``band_chosen``."""

    application_chosen = Signal(str)
    band_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.statuses = BarChart(tr("What came of the rows"))
        self.applications = BarChart(tr("Right answers by application"), choosable=True)
        self.types = BarChart(tr("Right answers by kind of target"))
        self.bands = BarChart(tr("Right answers by target size"), choosable=True)
        self.times = HistogramChart(tr("Seconds a row"))
        self.applications.chosen.connect(self.application_chosen)
        self.bands.chosen.connect(self.band_chosen)
        self._cards = {
            chart: card(subheading(chart.accessibleName()), chart)
            for chart in (self.applications, self.bands, self.types, self.statuses, self.times)
        }
        self._empty = hint(tr("Charts appear with the first answers."))
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(8)
        column.addWidget(self._empty)
        for each in self._cards.values():
            column.addWidget(each)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 0, 0)
        layout.addWidget(scroll(holder))
        self.show_entries(())

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Draw the charts of these; those that would be empty are not there."""
        self._show(self.statuses, by_status(entries, status_text))
        self._show(self.applications, accuracy_by(entries, lambda entry: entry.application))
        self._show(self.types, accuracy_by(entries, lambda entry: entry.ui_type))
        self._show(self.bands, accuracy_by_band(entries))
        times = times_of(entries)
        self._cards[self.times].setVisible(times is not None)
        if times is not None:
            lines = (
                (times.median_ms, tr("half within {seconds} s", seconds=seconds(times.median_ms))),
                (times.p95_ms, tr("95 % within {seconds} s", seconds=seconds(times.p95_ms))),
            )
            ends = (f"{seconds(edge)} s" for edge in (times.edges_ms[0], times.edges_ms[-1]))
            self.times.set_histogram(Histogram(times.edges_ms, times.counts, lines, *ends))
        self._empty.setVisible(not entries)

    def _show(self, chart: BarChart, shares: Sequence[Share]) -> None:
        chart.set_bars([Bar(s.label, s.share, f"({s.correct}/{s.total})", s.low, s.high) for s in shares])
        self._cards[chart].setVisible(bool(shares))
