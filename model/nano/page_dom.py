# ruff: noqa: E501 - markup, style sheets, scripts and word lists read worse when they are broken
"""Read a page's truth from its DOM: what can be asked for, and where each visible character stands."""

from typing import Any, cast, get_args

import numpy as np

from model.nano.elements import Element, ElementRole

_ROLES = frozenset(get_args(ElementRole))

# Returns {elements: [...], glyphs: [code, x, y, code, x, y, ...]} in CSS pixels of the viewport.
EXTRACT_SCRIPT = r"""
(() => {
const W = innerWidth, H = innerHeight, VIEW = [0, 0, W, H];
const tag = document.createElement('style');
tag.textContent = '*{pointer-events:auto!important} .dh-back,.dh-over{pointer-events:none!important}';
document.head.append(tag);
const over = document.querySelector('.dh-over');
const meet = (a, b) => [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
const join = (a, b) => a ? [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])] : b;
const area = r => Math.max(0, r[2] - r[0]) * Math.max(0, r[3] - r[1]);
const rectOf = r => [r.left, r.top, r.right, r.bottom];
const styles = new Map();
const styleOf = e => { let s = styles.get(e); if (!s) styles.set(e, s = getComputedStyle(e)); return s; };
const clips = new Map();
function clipOf(e) {
  if (!e || e === document.body || e === document.documentElement) return VIEW;
  let c = clips.get(e);
  if (c) return c;
  const s = styleOf(e);
  const parent = s.position === 'fixed' ? null : s.position === 'absolute' ? e.offsetParent : e.parentElement;
  c = clipOf(parent);
  if (s.overflowX !== 'visible' || s.overflowY !== 'visible') {
    const r = rectOf(e.getBoundingClientRect());
    if (s.textOverflow === 'ellipsis' && e.scrollWidth > e.clientWidth) r[2] -= parseFloat(s.fontSize);
    c = meet(c, r);
  }
  clips.set(e, c);
  return c;
}
const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true});
function hit(x, y, e) {
  const f = document.elementFromPoint(x, y);
  return f !== null && (e.contains(f) || f.contains(e));
}
const cased = (text, s) => s.textTransform === 'uppercase' ? text.toUpperCase()
  : s.textTransform === 'lowercase' ? text.toLowerCase()
  : s.textTransform === 'capitalize' ? text.replace(/(^|[\s-])(\S)/g, (m, a, b) => a + b.toUpperCase()) : text;

const glyphs = [], texts = new Map();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const range = document.createRange();
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const e = node.parentElement;
  if (!node.data.trim() || !shown(e) || e.closest('svg,script,style,select,textarea')) continue;
  const clip = clipOf(e), text = cased(node.data, styleOf(e));
  const info = {all: 0, seen: 0, box: null};
  const even = text.length === node.data.length;
  for (const word of node.data.matchAll(/\S+/g)) {
    range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
    info.all += word[0].length;
    const whole = rectOf(range.getBoundingClientRect());
    const part = meet(whole, clip);
    if (area(part) <= 0 || !hit((part[0] + part[2]) / 2, (part[1] + part[3]) / 2, e)) continue;
    for (let i = word.index; i < word.index + word[0].length; i++) {
      const code = node.data.codePointAt(i), size = code > 0xffff ? 2 : 1;
      range.setStart(node, i); range.setEnd(node, i + size);
      const r = rectOf(range.getBoundingClientRect());
      const x = (r[0] + r[2]) / 2, y = (r[1] + r[3]) / 2;
      if (x > clip[0] && x < clip[2] && r[1] + (r[3] - r[1]) * .25 > clip[1] && r[3] - (r[3] - r[1]) * .25 < clip[3]) {
        glyphs.push(even ? text.codePointAt(i) : code, x, y);
        info.seen += size;
        info.box = join(info.box, r);
      }
      i += size - 1;
    }
  }
  texts.set(node, info);
}
function textOf(e) {
  const sum = {all: 0, seen: 0, box: null};
  const inner = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
  for (let node = inner.nextNode(); node; node = inner.nextNode()) {
    const info = texts.get(node);
    if (!info) continue;
    sum.all += info.all; sum.seen += info.seen;
    if (info.box) sum.box = join(sum.box, info.box);
  }
  return sum;
}
const flat = t => (t || '').replace(/\s+/g, ' ').trim();
const canvas = document.createElement('canvas').getContext('2d');
function fieldGlyphs(e, text, r, wrap) {
  const s = styleOf(e);
  canvas.font = `${s.fontStyle} ${s.fontWeight} ${s.fontSize} ${s.fontFamily}`;
  canvas.letterSpacing = s.letterSpacing === 'normal' ? '0px' : s.letterSpacing;
  let x = r[0] + parseFloat(s.borderLeftWidth) + parseFloat(s.paddingLeft) + (e.tagName === 'SELECT' && s.appearance !== 'none' ? 4 : 0);
  const end = r[2] - parseFloat(s.borderRightWidth) - parseFloat(s.paddingRight);
  const top = r[1] + parseFloat(s.borderTopWidth) + parseFloat(s.paddingTop);
  const bottom = r[3] - parseFloat(s.borderBottomWidth) - parseFloat(s.paddingBottom);
  let seen = 0;
  if (wrap) return null;
  for (const c of text) {
    const w = canvas.measureText(c).width;
    if (x + w > end + 1) break;
    if (c.trim()) glyphs.push(c.codePointAt(0), x + w / 2, (top + bottom) / 2);
    seen += c.length;
    x += w;
  }
  return seen;
}

const TYPES = {number: 'spin', range: 'slider', checkbox: 'checkbox', radio: 'radio', submit: 'button', button: 'button'};
const natural = e => e.tagName !== 'INPUT' ? TAGS[e.tagName]
  : e.type === 'hidden' || e.parentElement.closest('[data-r]') ? '' : TYPES[e.type] || 'text_field';
const TAGS = {A: 'link', BUTTON: 'button', SELECT: 'combo', TEXTAREA: 'text_field', LABEL: 'label',
  H1: 'heading', H2: 'heading', H3: 'heading', H4: 'heading', H5: 'heading', H6: 'heading'};
const out = [], kept = new Map();
for (const e of document.body.querySelectorAll('[data-r],a,button,input,select,textarea,label,h1,h2,h3,h4,h5,h6,svg[data-i]')) {
  let role = e.dataset.r || natural(e);
  const icon = e.dataset.i || e.querySelector('svg[data-i]')?.dataset.i || '';
  if (e.tagName === 'svg') {
    if (e.closest('[data-r=button],[data-r=icon_button],[data-r=link],[data-r=menu_item],[data-r=list_item],a,button')) continue;
    role = 'image';
  }
  if (!role || !shown(e)) continue;
  if (role === 'label' && e.querySelector('input,select,textarea')) continue;
  if (role === 'label' && e.closest('[data-r=checkbox],[data-r=radio],[data-r=switch]')) continue;
  const whole = rectOf(e.getBoundingClientRect());
  const words = textOf(e);
  let box = whole, text = flat(e.innerText), placeholder = '', label = '';
  if (e.tagName === 'INPUT' && (e.type === 'checkbox' || e.type === 'radio')) {
    label = flat(e.labels?.[0]?.innerText);
  } else if (role === 'checkbox' || role === 'radio' || role === 'switch') {
    box = words.box;
    for (const mark of e.querySelectorAll('input,[data-x]')) {
      const r = rectOf(mark.getBoundingClientRect());
      if (area(r) < 9 || !shown(mark) || styleOf(mark).clip === 'rect(0px, 0px, 0px, 0px)') continue;
      if (words.box && r[2] > words.box[2] + 2) r[2] = words.box[2];
      if (r[0] > -W) box = join(box, r);
    }
  } else if (role === 'heading' || role === 'label') {
    box = words.box;
  } else if (role === 'link') {
    for (const r of e.getClientRects()) if (box === whole || area(rectOf(r)) > area(box)) box = rectOf(r);
  } else if (role === 'text_field' || role === 'spin' || role === 'combo') {
    const value = e.tagName === 'SELECT' ? e.selectedOptions[0]?.text : e.type === 'password' ? '' : e.value;
    text = flat(value);
    if (!e.value) placeholder = flat(e.placeholder);
    label = flat(e.labels?.[0]?.innerText || e.getAttribute('aria-label')).replace(/\s*[*:]$/, '');
  } else if (role === 'list_item') {
    text = flat(e.innerText.trim().split('\n')[0]);
  } else if (role === 'slider') {
    const middle = (whole[1] + whole[3]) / 2, half = Math.max(8, (whole[3] - whole[1]) / 2);
    box = [whole[0], middle - half, whole[2], middle + half];
    text = ''; label = flat(e.labels?.[0]?.innerText || e.dataset.l).replace(/\s*[*:]$/, '');
  }
  if (!box) continue;
  const clip = clipOf(e.parentElement), seen = meet(box, clip);
  if (seen[2] - seen[0] < 4 || seen[3] - seen[1] < 4 || area(seen) < .6 * area(box)) continue;
  if (words.all && words.seen < .95 * words.all) continue;
  const [x0, y0, x1, y1] = seen, dx = (x1 - x0) * .15, dy = (y1 - y0) * .2;
  if (!hit((x0 + x1) / 2, (y0 + y1) / 2, e)) continue;
  const corners = [[x0 + dx, y0 + dy], [x1 - dx, y0 + dy], [x0 + dx, y1 - dy], [x1 - dx, y1 - dy]];
  if (corners.filter(c => hit(c[0], c[1], e)).length < 3) continue;
  if (role === 'text_field' || role === 'spin' || role === 'combo') {
    const string = text || placeholder;
    const drawn = fieldGlyphs(e, string, box, e.tagName === 'TEXTAREA');
    if (drawn === null) { if (string) { text = ''; placeholder = ''; } }
    else if (drawn < string.length) { if (text) text = text.slice(0, drawn); else placeholder = placeholder.slice(0, drawn); }
  }
  if (!text && !icon && !label && !placeholder) continue;
  const group = e.closest('[data-g]'), dialog = e.closest('[data-c]');
  const record = {role, box: seen, text, icon, label, placeholder, position: 0,
    group: group?.dataset.g || '', kind: group?.dataset.k || '',
    container: dialog?.dataset.c || '', ck: dialog?.dataset.ck || '',
    enabled: !e.disabled && !(over && !over.contains(e))};
  out.push(record); kept.set(e, record);
}
const COUNTED = {list: 'list_item,link', menu: 'menu_item,menu,link', tabs: 'tab', toolbar: 'icon_button,button'};
for (const group of document.querySelectorAll('[data-g]')) {
  const roles = (COUNTED[group.dataset.k] || '').split(',');
  const items = [...group.querySelectorAll('[data-r]')].filter(
    e => roles.includes(e.dataset.r) && e.closest('[data-g]') === group && !e.parentElement.closest('[data-r=list_item]'));
  if (items.length && kept.has(items[0])) items.forEach((e, i) => { const k = kept.get(e); if (k) k.position = i + 1; });
}
return {elements: out, glyphs: glyphs.map(v => Math.round(v * 16) / 16)};
})()
"""


def to_elements(data: dict[str, Any], scale: float, size_px: tuple[int, int]) -> list[Element]:
    """Turn what the script returned into elements, in pixels of an image of ``size_px`` (width, height)."""
    width, height = size_px
    elements = []
    for item in data["elements"]:
        x0, y0, x1, y1 = (float(v) * scale for v in item["box"])
        if item["role"] not in _ROLES:
            continue
        elements.append(
            Element(
                role=cast(ElementRole, item["role"]),
                box_px=(max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)),
                text=item["text"],
                icon=item["icon"],
                label=item["label"],
                placeholder=item["placeholder"],
                group=item["group"],
                group_kind=item["kind"],
                position=item["position"],
                container=item["container"],
                container_kind=item["ck"],
                enabled=item["enabled"],
            )
        )
    return elements


def to_glyphs(data: dict[str, Any], scale: float) -> np.ndarray:
    """Turn what the script returned into float32 ``(n, 3)`` rows of code point, x, y in image pixels."""
    rows = np.asarray(data["glyphs"], np.float32).reshape(-1, 3)
    rows[:, 1:] *= scale
    return rows
