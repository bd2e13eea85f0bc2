"""The drawing of the four architectures of *Table 1*, for a wide page and for a phone."""

from __future__ import annotations

import html
import re

import numpy as np

from book.shared.style import BLUE, GREEN, ORANGE, Picture, in_book, pair

# Where the edges of the boxes stand on a wide page and on a phone.
WIDTH, PHONE, ROW = 640, 396, 128
PLACES = (
    *((0, 0), (38, 38), (86, 52), (202, 124), (243, 138), (255, 150), (298, 164), (312, 173), (342, 190), (368, 212)),
    *((404, 238), (420, 246), (482, 294), (498, 302), (560, 350), (594, 372), (640, 396)),
)


TOPS = (26, 58, 90)  # the three lanes of a row


ALT = (
    "Four data flows from three images to one number. Sum: each image goes through the same ResNet-18 to a vector, the "
    "same linear read-out gives one number each, the three numbers are added. Linear: the three vectors are laid side "
    "by side and one linear map reads them. 2-layer: the same with a hidden layer. Cross-channel: the three images are "
    "the channels of one image, one ResNet-18 sees them together from its first layer on, and one linear map reads its "
    "single vector."
)


def fig_architectures() -> Picture:
    """The four models of :prf:ref:`def-architectures`, one row each."""
    rows = (
        row(0, "Sum", "each image alone to the end", alone() + sum_head()),
        row(1, "Linear", "each image alone, one map on all three vectors", alone() + stacked("linear")),
        row(2, "2-layer", "each image alone, then a hidden layer", alone() + stacked("linear", "ReLU", "linear")),
        row(3, "Cross-channel", "together from the first layer on", together()),
    )
    wide, drawing = framed("".join(rows), WIDTH), "".join(rows)
    return pair(wide, framed(squeezed(drawing), PHONE), ALT) if in_book() else Picture(wide, ALT)


def framed(drawing: str, width: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {4 * ROW}" role="img" '
        f'aria-label="{html.escape(ALT, quote=True)}" '
        f'style="width:100%;max-width:{width + 120}px;height:auto;font-size:12px" fill="currentColor">{drawing}</svg>'
    )


def squeezed(drawing: str) -> str:
    """The same drawing for a phone: every place moves to the left, letters keep their size."""

    def x(value: str | float) -> float:
        wide, narrow = np.array(PLACES, float).T
        return float(np.interp(float(value), wide, narrow))

    def box(found: re.Match[str]) -> str:
        left, right = x(found[1]), x(float(found[1]) + float(found[3]))
        return f'<rect x="{left:.1f}"{found[2]} width="{right - left:.1f}"'

    drawing = re.sub(r'<rect x="([\d.]+)"( y="[\d.]+") width="([\d.]+)"', box, drawing)
    drawing = re.sub(r'(<text|<circle c)( ?x)="([\d.]+)"', lambda m: f'{m[1]}{m[2]}="{x(m[3]):.1f}"', drawing)
    drawing = drawing.replace(f'<text x="{x(104):.1f}"', '<text x="106" style="font-size:11px"')  # clear of the names
    return re.sub(r"([ML]) ([\d.]+) (?=[\d.])", lambda m: f"{m[1]} {x(m[2]):.1f} ", drawing)


def row(place: int, name: str, words: str, parts: str) -> str:
    title = f'<text x="4" y="14" font-weight="bold">{name}</text><text x="104" y="14" opacity="0.75">{words}</text>'
    images = "".join(image(top, digit) for top, digit in zip(TOPS, "307", strict=True))
    return f'<g transform="translate(0 {place * ROW})">{title}{images}{parts}{result()}</g>'


def image(top: int, digit: str) -> str:
    box = f'<rect x="10" y="{top}" width="26" height="26" rx="2" fill="none" stroke="currentColor"/>'
    return box + text(23, top + 18, digit, size=16)


def alone() -> str:
    parts = []
    for top in TOPS:
        middle = top + 13
        parts += [
            arrow(38, middle, 84, middle),
            box(86, top, 116, 26, "ResNet-18", BLUE),
            arrow(204, middle, 240, middle),
            vector(243, top),
        ]
    tie = f'<path d="M 144 {TOPS[0] + 26} V {TOPS[1]} M 144 {TOPS[1] + 26} V {TOPS[2]}" {line(BLUE)} '
    return "".join(parts) + tie + 'stroke-dasharray="2 2"/>'


def sum_head() -> str:
    parts = []
    for top in TOPS:
        middle = top + 13
        parts += [arrow(257, middle, 296, middle), box(298, top, 70, 26, "linear", ORANGE)]
        parts.append(arrow(370, middle, 470, 71 + (middle - 71) * 0.12))
    circle = f'<circle cx="488" cy="71" r="15" fill="{ORANGE}" fill-opacity="0.18" stroke="{ORANGE}"/>'
    return "".join(parts) + circle + text(488, 76, "+", size=16) + arrow(505, 71, 566, 71)


def stacked(*layers: str) -> str:
    gather = "".join(arrow(257, top + 13, 296, top + 13) for top in TOPS)
    strip = f'<rect x="299" y="{TOPS[0]}" width="12" height="90" rx="2" {fill(GREEN)}/>'
    parts, x = [gather, strip, arrow(314, 71, 340, 71)], 342
    for i, layer in enumerate(layers):
        parts.append(box(x, 56, 62, 30, layer, ORANGE))
        x += 62
        end = x + 16 if i + 1 < len(layers) else 566
        parts.append(arrow(x + 2, 71, end - 2, 71))
        x = end
    return "".join(parts)


def together() -> str:
    merge = "".join(arrow(38, top + 13, 84, top + 13) for top in TOPS)
    return (
        merge
        + box(86, TOPS[0], 116, 90, "ResNet-18", BLUE, "3 channels")
        + arrow(204, 71, 240, 71)
        + vector(243, 58)
        + arrow(257, 71, 340, 71)
        + box(342, 56, 62, 30, "linear", ORANGE)
        + arrow(406, 71, 564, 71)
    )


def result() -> str:
    return text(594, 76, "sum", size=13)


def vector(x: int, top: int) -> str:
    return f'<rect x="{x}" y="{top}" width="12" height="26" rx="2" {fill(GREEN)}/>'


def box(x: int, y: int, width: int, height: int, name: str, color: str, second: str = "") -> str:
    rect = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" {fill(color)}/>'
    middle = y + height / 2 + 4
    if not second:
        return rect + text(x + width / 2, middle, name)
    return rect + text(x + width / 2, middle - 8, name) + text(x + width / 2, middle + 8, second)


def text(x: float, y: float, words: str, size: int = 12) -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="middle" style="font-size:{size}px">{words}</text>'


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line with a small head at its end."""
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    u, v = (x2 - x1) / length, (y2 - y1) / length
    left = (x2 - 6 * u - 3 * v, y2 - 6 * v + 3 * u)
    right = (x2 - 6 * u + 3 * v, y2 - 6 * v - 3 * u)
    head = f"M {left[0]:.1f} {left[1]:.1f} L {x2:g} {y2:.1f} L {right[0]:.1f} {right[1]:.1f}"
    return f'<path d="M {x1:g} {y1:.1f} L {x2:g} {y2:.1f} {head}" fill="none" stroke="currentColor" opacity="0.7"/>'


def line(color: str) -> str:
    return f'fill="none" stroke="{color}" stroke-width="1.2"'


def fill(color: str) -> str:
    return f'fill="{color}" fill-opacity="0.18" stroke="{color}"'
