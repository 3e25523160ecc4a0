"""Random windows made of real Qt widgets."""

from collections.abc import Callable
from random import Random

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QAction, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDockWidget,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QToolBar,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from model.nano.page_assets import Icons
from model.nano.page_text import Words

CONCEPT = "deskhand_concept"
"""The dynamic property that says which icon a widget or action shows."""


class WindowBuilder:
    """Fills windows with random widgets; everything it draws comes from one generator and one icon set."""

    def __init__(self, rng: Random, icons: Icons, ink: str) -> None:
        self.rng = rng
        self.words = Words(rng)
        self._icons = icons
        self._set = icons.choose_set(rng)
        self._ink = ink

    def window(self) -> QWidget:
        """Build one window of a random kind, not yet shown, with its title set."""
        make = self.rng.choice((self._form, self._settings, self._editor, self._browser, self._message, self._keypad))
        window = make()
        window.setWindowTitle(self.words.phrase(1, 3))
        return window

    def icon(self, concept: str, side_px: int) -> QIcon | None:
        """Draw an icon in the text colour, or return ``None`` when the set lacks it."""
        svg = self._icons.svg(self._set, concept, self.rng)
        if svg is None:
            return None
        svg = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) if "xmlns=" not in svg else svg
        data = svg.replace("currentColor", self._ink)
        pixmap = QPixmap(side_px * 3, side_px * 3)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(data.encode())).render(painter)
        painter.end()
        return QIcon(pixmap)

    def menu(self, parent: QWidget, title: str) -> QMenu:
        """Build a menu with actions, separators, shortcuts and ticks."""
        menu = QMenu(title, parent)
        for name in self.words.actions(self.rng.randint(4, 10)):
            if self.rng.random() < 0.15:
                menu.addSeparator()
            action = menu.addAction(name.replace("&", ""))
            if self.rng.random() < 0.3:
                action.setShortcut(f"Ctrl+{self.rng.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}")
            if self.rng.random() < 0.1:
                action.setCheckable(True)
                action.setChecked(True)
            if self.rng.random() < 0.3:
                self._give_icon(action, self._any_concept())
            action.setEnabled(self.rng.random() > 0.1)
        return menu

    def _form(self) -> QWidget:
        dialog = QDialog()
        column = QVBoxLayout(dialog)
        column.addLayout(self._fields(self.rng.randint(3, 8)))
        for _ in range(self.rng.randint(0, 3)):
            column.addWidget(self._check())
        if self.rng.random() < 0.5:
            column.addWidget(self._radio_group())
        column.addStretch()
        column.addLayout(self._buttons(self.rng.randint(1, 4)))
        return dialog

    def _settings(self) -> QWidget:
        dialog = QDialog()
        column = QVBoxLayout(dialog)
        tabs = QTabWidget()
        for name in self.words.distinct(self.words.section, self.rng.randint(2, 5)):
            page = QWidget()
            inner = QVBoxLayout(page)
            for _ in range(self.rng.randint(1, 3)):
                group = QGroupBox(self.words.phrase())
                group.setLayout(self._fields(self.rng.randint(1, 3)))
                inner.addWidget(group)
            inner.addWidget(self._check())
            inner.addStretch()
            tabs.addTab(page, name)
        tabs.setCurrentIndex(self.rng.randrange(tabs.count()))
        column.addWidget(tabs)
        kinds = QDialogButtonBox.StandardButton
        third = self.rng.choice((kinds.Apply, kinds.Help, kinds.Reset))
        column.addWidget(QDialogButtonBox(kinds.Ok | kinds.Cancel | third))
        return dialog

    def _editor(self) -> QWidget:
        window = self._main_window()
        text = QPlainTextEdit("\n".join(self.words.paragraph(1, 2) for _ in range(self.rng.randint(2, 6))))
        window.setCentralWidget(text)
        if self.rng.random() < 0.5:
            dock = QDockWidget(self.words.phrase(1, 2))
            dock.setWidget(self._list() if self.rng.random() < 0.5 else self._tree())
            areas = Qt.DockWidgetArea
            window.addDockWidget(self.rng.choice((areas.LeftDockWidgetArea, areas.RightDockWidgetArea)), dock)
        return window

    def _browser(self) -> QWidget:
        window = self._main_window()
        split = QSplitter()
        split.addWidget(self.rng.choice((self._tree, self._list))())
        split.addWidget(self.rng.choice((self._table, self._list, self._table))())
        split.setSizes([200, 500])
        if self.rng.random() < 0.4:
            tabs = QTabWidget()
            tabs.addTab(split, self.words.section())
            for name in self.words.distinct(self.words.section, self.rng.randint(1, 3)):
                tabs.addTab(QWidget(), name)
            window.setCentralWidget(tabs)
        else:
            window.setCentralWidget(split)
        return window

    def _message(self) -> QWidget:
        dialog = QDialog()
        column = QVBoxLayout(dialog)
        row = QHBoxLayout()
        concept = self.rng.choice(("warning", "info", "error", "help"))
        icon = self.icon(concept, 32)
        if icon is not None:
            picture = QLabel()
            picture.setPixmap(icon.pixmap(32, 32))
            picture.setProperty(CONCEPT, concept)
            row.addWidget(picture)
        row.addWidget(QLabel(self.words.sentence(3, 8)))
        row.addStretch()
        column.addLayout(row)
        if self.rng.random() < 0.3:
            column.addWidget(self._check())
        if self.rng.random() < 0.3:
            bar = QProgressBar()
            bar.setValue(self.rng.randint(0, 100))
            bar.setTextVisible(False)
            column.addWidget(bar)
        column.addLayout(self._buttons(self.rng.randint(1, 3)))
        return dialog

    def _keypad(self) -> QWidget:
        dialog = QWidget()
        grid = QGridLayout(dialog)
        keys = ["7", "8", "9", "/", "sqrt", "4", "5", "6", "*", "%", "1", "2", "3", "-", "(", "0", ".", "=", "+", ")"]
        if self.rng.random() < 0.4:
            keys = self.words.distinct(self.words.action, self.rng.randint(6, 20))
        columns = 5 if len(keys) == 20 else self.rng.randint(2, 4)
        line = QLineEdit(str(self.rng.randint(0, 10**6)))
        grid.addWidget(line, 0, 0, 1, columns)
        for index, key in enumerate(keys):
            grid.addWidget(QPushButton(key), 1 + index // columns, index % columns)
        return dialog

    def _main_window(self) -> QMainWindow:
        window = QMainWindow()
        bar = window.menuBar()
        for title in self.words.distinct(self.words.menu, self.rng.randint(3, 7)):
            bar.addMenu(self.menu(window, title.replace("&", "")))
        for _ in range(self.rng.randint(1, 2)):
            window.addToolBar(self._tool_bar())
            if self.rng.random() < 0.5:
                window.addToolBarBreak()
        window.statusBar().addWidget(QLabel(self.words.phrase()))
        window.statusBar().addPermanentWidget(QLabel(self.words.number()))
        return window

    def _tool_bar(self) -> QToolBar:
        bar = QToolBar(self.words.phrase(1, 1))
        side_px = self.rng.choice((16, 20, 22, 24, 32))
        bar.setIconSize(bar.iconSize().scaled(side_px, side_px, Qt.AspectRatioMode.IgnoreAspectRatio))
        styles = Qt.ToolButtonStyle
        only, beside, under = styles.ToolButtonIconOnly, styles.ToolButtonTextBesideIcon, styles.ToolButtonTextUnderIcon
        bar.setToolButtonStyle(self.rng.choice((only, only, beside, under)))
        for _ in range(self.rng.randint(4, 11)):
            if self.rng.random() < 0.15:
                bar.addSeparator()
            action = bar.addAction(self.words.action().replace("&", ""))
            self._give_icon(action, self._any_concept())
            action.setEnabled(self.rng.random() > 0.07)
        if self.rng.random() < 0.3:
            line = QLineEdit()
            line.setPlaceholderText(self.rng.choice(("Search", "Find", "Filter…", self.words.phrase(1, 2))))
            line.setMaximumWidth(180)
            bar.addWidget(line)
        return bar

    def _fields(self, count: int) -> QFormLayout:
        form = QFormLayout()
        for name in self.words.distinct(self.words.field, count):
            caption = name.replace("&", "") + self.rng.choice((":", ":", ""))
            form.addRow(caption, self._control())
        if self.rng.random() < 0.3:
            form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        return form

    def _control(self) -> QWidget:
        kind = self.rng.random()
        if kind < 0.55:
            line = QLineEdit()
            if self.rng.random() < 0.45:
                line.setText(self.words.value())
                line.setCursorPosition(0)
            elif self.rng.random() < 0.6:
                line.setPlaceholderText(self.words.phrase())
            line.setEnabled(self.rng.random() > 0.07)
            return line
        if kind < 0.75:
            combo = QComboBox()
            combo.addItems(self.words.distinct(self.words.phrase, self.rng.randint(2, 6)))
            return combo
        if kind < 0.9:
            spin = QSpinBox()
            spin.setRange(0, 9999)
            spin.setValue(self.rng.randint(0, 500))
            return spin
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setValue(self.rng.randint(0, 99))
        return slider

    def _check(self) -> QWidget:
        box = QCheckBox(self.words.check().replace("&", ""))
        box.setChecked(self.rng.random() < 0.4)
        box.setEnabled(self.rng.random() > 0.07)
        return box

    def _radio_group(self) -> QWidget:
        group = QGroupBox(self.words.phrase())
        inner = QVBoxLayout(group) if self.rng.random() < 0.6 else QHBoxLayout(group)
        for index in range(self.rng.randint(2, 4)):
            radio = QRadioButton(self.words.check())
            radio.setChecked(index == 0)
            inner.addWidget(radio)
        return group

    def _buttons(self, count: int) -> QHBoxLayout:
        row = QHBoxLayout()
        if self.rng.random() < 0.7:
            row.addStretch()
        for name in self.words.actions(count):
            button = QPushButton(name.replace("&", ""))
            if self.rng.random() < 0.25:
                self._give_icon(button, self._any_concept())
            button.setEnabled(self.rng.random() > 0.07)
            row.addWidget(button)
        if self.rng.random() < 0.2:
            tool = QToolButton()
            self._give_icon(tool, self._any_concept())
            row.addWidget(tool)
        return row

    def _list(self) -> QWidget:
        view = QListWidget()
        make: Callable[[], str] = self.rng.choice((self.words.file, self.words.phrase, self.words.person))
        with_icons = self.rng.random() < 0.4
        for name in self.words.distinct(make, self.rng.randint(4, 20)):
            item = QListWidgetItem(name)
            icon = self.icon(self.rng.choice(("file", "folder", "user", "image")), 16) if with_icons else None
            if icon is not None:
                item.setIcon(icon)
            view.addItem(item)
        view.setCurrentRow(self.rng.randrange(view.count()))
        view.setProperty("deskhand_group", "list")
        return view

    def _tree(self) -> QWidget:
        view = QTreeWidget()
        view.setHeaderLabel(self.words.phrase(1, 1))
        for name in self.words.distinct(self.words.section, self.rng.randint(3, 6)):
            top = QTreeWidgetItem([name])
            for child in self.words.distinct(self.words.phrase, self.rng.randint(0, 4)):
                top.addChild(QTreeWidgetItem([child]))
            view.addTopLevelItem(top)
            top.setExpanded(self.rng.random() < 0.6)
        return view

    def _table(self) -> QWidget:
        columns, rows = self.rng.randint(2, 5), self.rng.randint(4, 16)
        view = QTableWidget(rows, columns)
        view.setHorizontalHeaderLabels(self.words.distinct(self.words.field, columns))
        makers = [self.rng.choice((self.words.person, self.words.number, self.words.phrase)) for _ in range(columns)]
        for row in range(rows):
            for column, make in enumerate(makers):
                view.setItem(row, column, QTableWidgetItem(make()))
        view.resizeColumnsToContents()
        view.setAlternatingRowColors(self.rng.random() < 0.4)
        view.verticalHeader().setVisible(self.rng.random() < 0.4)
        return view

    def _any_concept(self) -> str:
        return self.rng.choice(self._icons.names(self._set))

    def _give_icon(self, target: QAction | QPushButton | QToolButton, concept: str) -> None:
        icon = self.icon(concept, 24)
        if icon is not None:
            target.setIcon(icon)
            target.setProperty(CONCEPT, concept)
