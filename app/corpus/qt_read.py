"""Read what a Qt window shows: boxes, texts and glyph centres, in logical pixels of that window."""

from dataclasses import dataclass, field

from PySide6.QtCore import QModelIndex, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QAction, QFontMetricsF
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QFormLayout,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QMenu,
    QMenuBar,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QStyleOptionDockWidget,
    QStyleOptionGroupBox,
    QTabBar,
    QToolButton,
    QTreeView,
    QWidget,
)

from app.corpus.qt_content import CONCEPT
from model.nano.elements import Element, ElementRole

Glyph = tuple[int, float, float]


@dataclass(slots=True)
class WindowReader:
    """Collects the elements and glyphs of one shown window or menu."""

    window: QWidget
    container: str = ""
    elements: list[Element] = field(default_factory=list)
    glyphs: list[Glyph] = field(default_factory=list)

    def read(self) -> None:
        """Walk the widgets that are shown and note what each offers."""
        captions = _captions(self.window)
        for widget in [self.window, *self.window.findChildren(QWidget)]:
            if widget.isVisible() and widget.window() is self.window:
                self._read_widget(widget, captions)

    def _read_widget(self, widget: QWidget, captions: dict[QWidget, str]) -> None:
        if isinstance(widget, QMenu | QMenuBar):
            self._read_menu(widget)
        elif isinstance(widget, QTabBar):
            self._read_tabs(widget)
        elif isinstance(widget, QHeaderView):
            self._read_header(widget)
        elif isinstance(widget, QAbstractItemView):
            self._read_items(widget)
        elif isinstance(widget, QCheckBox | QRadioButton):
            self._read_check(widget)
        elif isinstance(widget, QPushButton | QToolButton):
            self._read_button(widget)
        elif isinstance(widget, QLabel):
            self._read_label(widget)
        elif isinstance(widget, QGroupBox):
            self._read_group(widget)
        elif isinstance(widget, QPlainTextEdit):
            self._read_text(widget)
        elif isinstance(widget, QDockWidget):
            self._read_dock(widget)
        elif isinstance(widget, QLineEdit | QComboBox | QAbstractSpinBox | QSlider):
            self._read_control(widget, captions.get(widget, ""))

    def _read_control(self, widget: QWidget, label: str) -> None:
        text, placeholder, role = "", "", "text_field"
        margin_px = 6.0
        if isinstance(widget, QLineEdit):
            if isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox):
                return
            text, placeholder = widget.displayText(), "" if widget.text() else widget.placeholderText()
        elif isinstance(widget, QComboBox):
            text, role = widget.currentText(), "combo"
        elif isinstance(widget, QAbstractSpinBox):
            text, role = widget.text(), "spin"
        else:
            role = "slider"
        room_px = widget.width() - 2 * margin_px - (20 if role in ("combo", "spin") else 0)
        shown = text or placeholder
        metrics = QFontMetricsF(widget.font())
        while shown and metrics.horizontalAdvance(shown) > room_px:
            shown = shown[:-1]
        text, placeholder = (shown, "") if text else ("", shown)
        if shown or label:
            self._add(role, widget, QRectF(widget.rect()), text=text, placeholder=placeholder, label=label)
            self._spell(widget, shown, widget.rect(), Qt.AlignmentFlag.AlignLeft, margin_px)

    def _read_button(self, widget: QPushButton | QToolButton) -> None:
        if isinstance(widget, QToolButton):
            action = widget.defaultAction()
            source: QObject = action if action is not None else widget
            written = widget.toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly and bool(widget.text())
        else:
            source, written = widget, bool(widget.text())
        icon = str(source.property(CONCEPT) or "") if not widget.icon().isNull() else ""
        text = _plain(widget.text()) if written else ""
        if not text and not icon:
            return
        if text and not _fits(widget, text, widget.width()):
            return
        role: ElementRole = "button" if text else "icon_button"
        group = "toolbar" if isinstance(widget, QToolButton) else ""
        self._add(role, widget, QRectF(widget.rect()), text=text, icon=icon, group=group, group_kind=group)
        if text:
            self._spell_button(widget, text, bool(icon))

    def _spell_button(self, widget: QPushButton | QToolButton, text: str, pictured: bool) -> None:
        box, side = widget.rect(), widget.iconSize()
        centre, left = Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignLeft
        if not pictured:
            self._spell(widget, text, box, centre)
        elif isinstance(widget, QPushButton):
            self._spell(widget, text, box.translated((side.width() + 4) // 2, 0), centre)
        elif widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextUnderIcon:
            self._spell(widget, text, box.adjusted(0, side.height() + 4, 0, -3), centre)
        else:
            self._spell(widget, text, box, left, side.width() + 7.0)

    def _read_check(self, widget: QCheckBox | QRadioButton) -> None:
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        radio = isinstance(widget, QRadioButton)
        part = QStyle.SubElement.SE_RadioButtonContents if radio else QStyle.SubElement.SE_CheckBoxContents
        contents = widget.style().subElementRect(part, option, widget)
        text = _plain(widget.text())
        width = min(widget.width(), contents.x() + round(QFontMetricsF(widget.font()).horizontalAdvance(text)) + 2)
        if not _fits(widget, text, contents.width() + 2):
            return
        box = QRectF(0, 0, width, widget.height())
        self._add("radio" if radio else "checkbox", widget, box, text=text)
        self._spell(widget, text, contents, Qt.AlignmentFlag.AlignLeft)

    def _read_label(self, widget: QLabel) -> None:
        concept = widget.property(CONCEPT)
        text = widget.text()
        if concept:
            self._add("image", widget, QRectF(widget.rect()), icon=str(concept))
        elif text and _fits(widget, text, widget.width() + 1):
            self._add("label", widget, self._text_box(widget, text), text=_plain(text))
            self._spell(widget, _plain(text), widget.contentsRect(), Qt.AlignmentFlag.AlignLeft)

    def _text_box(self, widget: QLabel, text: str) -> QRectF:
        width = min(float(widget.width()), QFontMetricsF(widget.font()).horizontalAdvance(text))
        x = widget.width() - width if widget.alignment() & Qt.AlignmentFlag.AlignRight else 0.0
        return QRectF(x, 0, width, widget.height())

    def _read_group(self, widget: QGroupBox) -> None:
        if not widget.title():
            return
        option = QStyleOptionGroupBox()
        widget.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_GroupBox, QStyle.SubControl.SC_GroupBoxLabel
        box = widget.style().subControlRect(control, option, part, widget)
        self._add("label", widget, QRectF(box), text=_plain(widget.title()))
        self._spell(widget, _plain(widget.title()), box, Qt.AlignmentFlag.AlignHCenter)

    def _read_dock(self, widget: QDockWidget) -> None:
        option = QStyleOptionDockWidget()
        widget.initStyleOption(option)
        box = widget.style().subElementRect(QStyle.SubElement.SE_DockWidgetTitleBarText, option, widget)
        title = widget.windowTitle()
        if title and _fits(widget, title, box.width()):
            width = min(box.width(), round(QFontMetricsF(widget.font()).horizontalAdvance(title)) + 4)
            self._add("label", widget, QRectF(box.x(), box.y(), width, box.height()), text=title)
            self._spell(widget, title, box, Qt.AlignmentFlag.AlignLeft)

    def _read_tabs(self, bar: QTabBar) -> None:
        whole = bar.tabRect(0).left() >= 0
        for index in range(bar.count()):
            text, box = _plain(bar.tabText(index)), bar.tabRect(index)
            if _fits(bar, text, box.width()):
                place = index + 1 if whole else 0
                self._add("tab", bar, QRectF(box), text=text, group="tabs", group_kind="tabs", position=place)
                self._spell(bar, text, box, Qt.AlignmentFlag.AlignHCenter)

    def _read_header(self, header: QHeaderView) -> None:
        if header.orientation() != Qt.Orientation.Horizontal:
            for section in range(header.count()):
                y, height = header.sectionViewportPosition(section), header.sectionSize(section)
                box = QRect(0, y, header.width(), height)
                self._spell(header.viewport(), str(section + 1), box, Qt.AlignmentFlag.AlignHCenter)
            return
        for section in range(header.count()):
            text = str(header.model().headerData(section, Qt.Orientation.Horizontal) or "")
            x, width = header.sectionViewportPosition(section), header.sectionSize(section)
            if text and _fits(header, text, width - 4):
                box = QRect(x, 0, width, header.height())
                self._add("heading", header.viewport(), QRectF(box), text=text, group="table", group_kind="table")
                centred = bool(header.defaultAlignment() & Qt.AlignmentFlag.AlignHCenter)
                self._spell(header.viewport(), text, box, _alignment(centred), 4.0)

    def _read_items(self, view: QAbstractItemView) -> None:
        kind: ElementRole = "cell"
        group = "table"
        if isinstance(view, QTreeView):
            kind, group = "tree_item", "tree"
        elif isinstance(view, QListView):
            kind, group = "list_item", "list"
        port = view.viewport()
        first_seen = True
        for position, index in enumerate(_indexes(view)):
            box = view.visualRect(index)
            text = str(index.data() or "")
            if position == 0:
                first_seen = port.rect().contains(box.center())
            if not text or not box.intersects(port.rect()):
                continue
            icon_px = view.style().pixelMetric(_icon_metric(view), None, view)
            margin_px = 4.0 + (icon_px + 4 if index.data(Qt.ItemDataRole.DecorationRole) is not None else 0)
            if not _fits(view, text, box.width() - margin_px + 2):
                continue
            place = position + 1 if first_seen and kind != "cell" else 0
            self._add(kind, port, QRectF(box), text=text, group=group, group_kind=group, position=place)
            self._spell(port, text, box, Qt.AlignmentFlag.AlignLeft, margin_px)

    def _read_menu(self, menu: QMenu | QMenuBar) -> None:
        bar = isinstance(menu, QMenuBar)
        group = "menu bar" if bar else _plain(menu.title()) or "menu"
        actions = [a for a in menu.actions() if not a.isSeparator() and a.isVisible()]
        for position, action in enumerate(actions, 1):
            box, text = menu.actionGeometry(action), _plain(action.text())
            if box.isEmpty():
                continue
            self._add(
                "menu" if bar else "menu_item",
                menu,
                QRectF(box),
                text=text,
                icon=_action_icon(action) if not bar else "",
                group=group,
                group_kind="menu",
                position=position,
                enabled=action.isEnabled(),
            )
            self._spell(menu, text, box, _alignment(bar), 0.0 if bar else 28.0)
            keys = action.shortcut().toString()
            if keys and not bar:
                room_px = box.width() - QFontMetricsF(menu.font()).horizontalAdvance(keys) - 13
                self._spell(menu, keys, box, Qt.AlignmentFlag.AlignLeft, room_px)

    def _read_text(self, edit: QPlainTextEdit) -> None:
        port = edit.viewport()
        block = edit.firstVisibleBlock()
        metrics = QFontMetricsF(edit.font())
        while block.isValid():
            corner = edit.blockBoundingGeometry(block).translated(edit.contentOffset()).topLeft()
            if corner.y() > port.height():
                break
            layout = block.layout()
            for number in range(layout.lineCount()):
                line = layout.lineAt(number)
                text = block.text()[line.textStart() : line.textStart() + line.textLength()]
                y = corner.y() + line.y() + line.height() / 2
                if 4 < y < port.height() - 4:
                    self._spell_at(port, text, corner.x() + line.x(), y, metrics)
            block = block.next()

    def _add(self, role: str, widget: QWidget, box: QRectF, enabled: bool = True, **fields: object) -> None:
        """Note an element whose ``box`` is given in pixels of ``widget``, unless most of it is covered or cut."""
        region = widget.visibleRegion()
        seen = box.intersected(QRectF(region.boundingRect()))
        if seen.isEmpty() or seen.width() * seen.height() < 0.7 * box.width() * box.height():
            return
        if not region.contains(seen.center().toPoint()):
            return
        corner = widget.mapTo(self.window, QPoint(0, 0))
        x, y = seen.x() + corner.x(), seen.y() + corner.y()
        self.elements.append(
            Element(
                role=role,  # type: ignore[arg-type] - a Role by its table
                box_px=(x, y, x + seen.width(), y + seen.height()),
                container=self.container,
                container_kind="window" if self.container else "",
                enabled=enabled and widget.isEnabled(),
                **fields,  # type: ignore[arg-type] - named as the fields are
            )
        )

    def _spell(self, widget: QWidget, text: str, box: QRect, how: Qt.AlignmentFlag, margin_px: float = 0.0) -> None:
        metrics = QFontMetricsF(widget.font())
        width = metrics.horizontalAdvance(text)
        x = box.x() + (box.width() - width) / 2 if how == Qt.AlignmentFlag.AlignHCenter else box.x() + margin_px
        self._spell_at(widget, text, x, box.y() + box.height() / 2, metrics)

    def _spell_at(self, widget: QWidget, text: str, x: float, y: float, metrics: QFontMetricsF) -> None:
        region = widget.visibleRegion()
        corner = widget.mapTo(self.window, QPoint(0, 0))
        before = 0.0
        for count, char in enumerate(text, 1):
            after = metrics.horizontalAdvance(text[:count])
            centre = x + (before + after) / 2
            before = after
            if char.isprintable() and not char.isspace() and region.contains(QPoint(round(centre), round(y))):
                self.glyphs.append((ord(char), centre + corner.x(), y + corner.y()))


def _icon_metric(view: QAbstractItemView) -> QStyle.PixelMetric:
    kinds = QStyle.PixelMetric
    return kinds.PM_ListViewIconSize if isinstance(view, QListView) else kinds.PM_SmallIconSize


def _alignment(centred: bool) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft


def _plain(text: str) -> str:
    """Take the mnemonic marks and the shortcut out of a caption."""
    return text.split("\t")[0].replace("&&", "\0").replace("&", "").replace("\0", "&").strip()


def _fits(widget: QWidget, text: str, room_px: float) -> bool:
    return QFontMetricsF(widget.font()).horizontalAdvance(_plain(text)) <= room_px + 1


def _action_icon(action: QAction) -> str:
    return str(action.property(CONCEPT) or "") if not action.icon().isNull() else ""


def _captions(window: QWidget) -> dict[QWidget, str]:
    """Map each control of a form to the caption beside it."""
    found: dict[QWidget, str] = {}
    for form in window.findChildren(QFormLayout):
        for row in range(form.rowCount()):
            item = form.itemAt(row, QFormLayout.ItemRole.FieldRole)
            control = item.widget() if item is not None else None
            caption = form.labelForField(control) if control is not None else None
            if control is not None and isinstance(caption, QLabel):
                found[control] = _plain(caption.text()).rstrip(":").strip()
    return found


def _indexes(view: QAbstractItemView) -> list[QModelIndex]:
    """List the indexes of a view in the order they are shown, those of closed branches left out."""
    model = view.model()
    if isinstance(view, QTreeView):
        found: list[QModelIndex] = []
        for row in range(model.rowCount()):
            top = model.index(row, 0)
            found.append(top)
            if view.isExpanded(top):
                found.extend(model.index(child, 0, top) for child in range(model.rowCount(top)))
        return found
    columns = 1 if isinstance(view, QListView) else model.columnCount()
    return [model.index(row, column) for row in range(model.rowCount()) for column in range(columns)]
