"""The one style sheet, made from the tokens. Widgets say what they are by the property ``role``, not how they look."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ui.theme import Tokens

_SHEET = """
QWidget {{ color: {text}; }}
QMainWindow, QDialog, QWidget[role="page"] {{ background: {window}; }}
QLabel {{ background: transparent; }}
QPushButton, QToolButton, QCheckBox, QRadioButton, QComboBox, QTabBar, QSlider {{ outline: none; }}
QLabel:disabled {{ color: {muted}; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {border}; padding: {p4}px; }}

*[role="heading"] {{ font-size: {heading_px}px; font-weight: 600; }}
*[role="subheading"] {{ font-size: {subheading_px}px; font-weight: 600; }}
*[role="muted"] {{ color: {muted}; }}
*[role="small"] {{ color: {muted}; font-size: {small_px}px; }}
*[role="mono"] {{ font-family: "DejaVu Sans Mono", "Consolas", "Menlo", monospace; font-size: {mono_px}px; }}
QLabel[role="danger"] {{ color: {danger}; }}
QLabel[role="success"] {{ color: {success}; }}
QLabel[role="warning"] {{ color: {warning}; }}
QFrame[role="card"], QWidget[role="card"] {{
  background: {surface}; border: 1px solid {border}; border-radius: {r2}px; }}
QFrame[role="raised"] {{ background: {raised}; border: 1px solid {border}; border-radius: {r}px; }}
QFrame[role="line"] {{ background: {border}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[role="toast"] {{ background: {raised}; border: 1px solid {control}; border-radius: {r2}px; }}
QWidget[role="banner"] {{ background: {raised}; border: none; border-bottom: 1px solid {border}; }}
QWidget[role="sidebar"] {{ background: {sidebar}; border: none; border-right: 1px solid {border}; }}

QPushButton, QToolButton {{
  background: {surface}; color: {text}; border: 1px solid {control}; border-radius: {r}px;
  padding: {p6}px {p12}px; min-height: {line_px}px; }}
QPushButton:hover, QToolButton:hover {{ background: {hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {selection}; }}
QPushButton:checked, QToolButton:checked {{ background: {selection}; border-color: {accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {muted}; border-color: {border}; background: {raised}; }}
QPushButton:focus, QToolButton:focus {{ border: 2px solid {focus}; padding: {p5}px {p11}px; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; }}
QPushButton[role="primary"]:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {text}; }}
QPushButton[role="primary"]:disabled {{ background: {raised}; color: {muted}; border-color: {border}; }}
QPushButton[role="danger"] {{ background: {danger}; color: {on_danger}; border-color: {danger}; font-weight: 600; }}
QPushButton[role="danger"]:hover {{ background: {danger_hover}; border-color: {danger_hover}; }}
QPushButton[role="danger"]:focus {{ border: 2px solid {text}; }}
QPushButton[role="danger"]:disabled {{ background: {raised}; color: {muted}; border-color: {border}; }}
QPushButton[role="ghost"], QToolButton[role="ghost"] {{ background: transparent; border: 1px solid transparent; }}
QPushButton[role="ghost"]:hover, QToolButton[role="ghost"]:hover {{ background: {hover}; }}
QPushButton[role="ghost"]:checked {{ background: {selection}; }}
QPushButton[role="ghost"]:focus, QToolButton[role="ghost"]:focus {{ border: 2px solid {focus}; }}
QPushButton[role="ghost"]:disabled {{ background: transparent; color: {muted}; }}
QPushButton[shape="icon"] {{ padding: {p6}px; min-width: {line_px}px; }}
QPushButton[shape="icon"]:focus {{ padding: {p5}px; }}
QPushButton[role="nav"] {{
  background: transparent; border: 1px solid transparent; text-align: left; padding: {p8}px {p12}px; }}
QPushButton[role="nav"][narrow="true"] {{ text-align: center; padding: {p8}px 0; }}
QPushButton[role="nav"]:hover {{ background: {hover}; }}
QPushButton[role="nav"]:checked {{ background: {selection}; font-weight: 600; }}
QPushButton[role="nav"]:focus {{ border: 2px solid {focus}; padding: {p7}px {p11}px; }}
QPushButton[role="nav"][narrow="true"]:focus {{ padding: {p7}px 0; }}
QPushButton::menu-indicator, QToolButton::menu-indicator {{ width: 0; }}

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox, QKeySequenceEdit QLineEdit {{
  background: {surface}; color: {text}; border: 1px solid {control}; border-radius: {r}px; padding: {p5}px {p8}px;
  selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit, QComboBox {{ min-height: {line_px}px; }}
QAbstractSpinBox {{ min-height: {spin_px}px; }}
QLineEdit, QPlainTextEdit, QTextEdit {{ placeholder-text-color: {muted}; }}
QAbstractSpinBox QLineEdit {{ border: none; padding: 0 {p8}px; min-height: 0; background: transparent; }}
QComboBox QLineEdit {{ border: none; padding: 0; min-height: 0; background: transparent; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{
  border: 2px solid {focus}; padding: {p4}px {p7}px; }}
QLineEdit:disabled, QPlainTextEdit:disabled, QTextEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{
  color: {muted}; background: {raised}; border-color: {border}; }}
QTextBrowser[role="plain"], QTextEdit[role="plain"], QPlainTextEdit[role="plain"] {{
  background: transparent; border: none; padding: 0; }}
QComboBox::drop-down {{ border: none; width: {p24}px; }}
QComboBox::down-arrow {{ image: url({chevron}); width: {p12}px; height: {p12}px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
  subcontrol-origin: border; width: {p24}px; border: none; background: transparent; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
QAbstractSpinBox::up-arrow {{ image: url({chevron_up}); width: {p10}px; height: {p10}px; }}
QAbstractSpinBox::down-arrow {{ image: url({chevron}); width: {p10}px; height: {p10}px; }}
QComboBox QAbstractItemView {{
  background: {surface}; color: {text}; border: 1px solid {control}; selection-background-color: {selection};
  selection-color: {text}; outline: none; padding: {p4}px; }}

QCheckBox, QRadioButton {{ spacing: {p8}px; background: transparent; border: 2px solid transparent;
  border-radius: {r}px; padding: {p2}px; }}
QCheckBox:focus, QRadioButton:focus {{ border: 2px solid {focus}; }}
QCheckBox:disabled, QRadioButton:disabled {{ color: {muted}; }}
QCheckBox::indicator, QRadioButton::indicator {{ width: {p16}px; height: {p16}px; }}
QCheckBox::indicator {{ border: 1px solid {control}; border-radius: {p4}px; background: {surface}; }}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; image: url({check}); }}
QRadioButton::indicator {{ border: 1px solid {control}; border-radius: {p9}px; background: {surface}; }}
QRadioButton::indicator:checked {{ border: {p5}px solid {accent}; width: {p8}px; height: {p8}px; }}

QAbstractItemView {{
  background: {surface}; alternate-background-color: {raised}; color: {text}; border: 1px solid {border};
  border-radius: {r}px; selection-background-color: {selection}; selection-color: {text}; outline: none;
  gridline-color: {border}; }}
QAbstractItemView:focus {{ border: 2px solid {focus}; }}
QAbstractItemView::item {{ padding: {p4}px {p6}px; }}
QAbstractItemView::item:hover {{ background: {hover}; }}
QAbstractItemView::item:selected {{ background: {selection}; color: {text}; }}
QHeaderView {{ background: {raised}; border: none; }}
QHeaderView::section {{
  background: {raised}; color: {muted}; border: none; border-bottom: 1px solid {border}; padding: {p6}px {p8}px;
  font-weight: 600; }}
QTableCornerButton::section {{ background: {raised}; border: none; }}

QScrollArea {{ background: transparent; border: none; }}
QScrollArea:focus {{ border: 1px solid {focus}; }}
QScrollArea > QWidget > QWidget[role="scrolled"] {{ background: transparent; }}
QScrollBar:vertical {{ background: transparent; width: {p12}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {p12}px; margin: 0; }}
QScrollBar::handle {{ background: {control}; border-radius: {p3}px; margin: {p3}px; }}
QScrollBar::handle:vertical {{ min-height: {p32}px; }}
QScrollBar::handle:horizontal {{ min-width: {p32}px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QTabWidget::pane {{ border: none; border-top: 1px solid {border}; top: -1px; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{
  background: transparent; color: {muted}; border: none; border-bottom: 2px solid transparent;
  padding: {p8}px {p12}px; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::tab:focus {{ color: {text}; border: 2px solid {focus}; }}

QTabBar QToolButton {{ padding: 0; min-height: 0; border-radius: 0; }}

QProgressBar {{
  background: {hover}; border: none; border-radius: {p3}px; min-height: {p6}px; max-height: {p6}px; color: {text}; }}
QProgressBar::chunk {{ background: {accent}; border-radius: {p3}px; }}
QSlider::groove:horizontal {{ background: {control}; height: {p4}px; border-radius: {p2}px; }}
QSlider::handle:horizontal {{
  background: {accent}; width: {p16}px; height: {p16}px; margin: -{p6}px 0; border-radius: {p8}px; }}
QSlider:focus {{ border: 2px solid {focus}; border-radius: {r}px; }}
QSplitter::handle {{ background: {border}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
QSplitter::handle:vertical {{ height: 1px; }}
QMenu {{ background: {surface}; border: 1px solid {control}; padding: {p4}px; }}
QMenu::item {{ padding: {p6}px {p24}px {p6}px {p12}px; border-radius: {p4}px; }}
QMenu::item:selected {{ background: {selection}; color: {text}; }}
QMenu::item:disabled {{ color: {muted}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: {p4}px; }}
QGroupBox {{ border: 1px solid {border}; border-radius: {r2}px; margin-top: {p16}px; padding: {p12}px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: {p12}px; font-weight: 600; }}
QStatusBar {{ background: {sidebar}; border-top: 1px solid {border}; }}
"""


def style_sheet(tokens: "Tokens") -> str:
    """Write Qt's style sheet in these tokens; lengths grow with the text."""
    from app.ui.icons import tinted_file

    scale = tokens.text_px / 14
    lengths = {f"p{step}": max(1, round(step * scale)) for step in (*range(2, 13), 16, 24, 32)}
    colours = {name: getattr(tokens, name) for name in tokens.__slots__ if isinstance(getattr(tokens, name), str)}
    return _SHEET.format(
        **colours,
        **lengths,
        r=tokens.radius_px,
        r2=tokens.radius_px + 4,
        heading_px=round(tokens.text_px * 1.55),
        subheading_px=round(tokens.text_px * 1.15),
        small_px=round(tokens.text_px * 0.86),
        mono_px=round(tokens.text_px * 0.93),
        line_px=round(20 * scale),
        spin_px=round(17 * scale),
        chevron=tinted_file("chevron-down", tokens.muted),
        chevron_up=tinted_file("chevron-up", tokens.muted),
        check=tinted_file("check", tokens.on_accent),
    )
