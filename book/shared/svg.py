"""matplotlib's SVG made fit for a page: named, following the page's colours and fonts, and half as long."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Mapping

# Text and axes are drawn in this colour and become the page's own text colour.
INK = "#010203"

_GRID = re.compile(
    r'<path d="(M [^"Z]+ L [^"Z]+?) ?"(?: clip-path="[^"]*")? '
    r'style="fill: none; (stroke: currentColor; stroke-opacity: 0.15; stroke-width: [\d.]+; stroke-linecap: \w+)"/>'
)


def inline(svg: str, alt: str, palette: Mapping[str, str]) -> str:
    """Strip what a page does not need, let colours and fonts follow the page, and name the picture.

    `palette`: colours by name; the dark theme has a tone of its own for each (book/_static/live.css).
    """
    svg = svg[svg.index("<svg") :]
    # The <style> element would speak to the whole page: its one rule stands on the root element instead.
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.S)
    svg = svg.replace(INK, "currentColor").replace("xlink:href", "href")
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r'<path d="[^"]*" style="fill: none"/>', "", svg)
    svg = re.sub(r"\s+", " ", svg)
    viewbox = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert viewbox is not None, "matplotlib always writes a viewBox"
    body = _short(svg[svg.index(">") + 1 : svg.rindex("</svg>")])
    for name, colour in palette.items():
        body = re.sub(rf"(?<=[:])({colour})\b", rf"var(--companion-{name},\1)", body)
    width = float(viewbox[1]) * 4 / 3  # points to CSS pixels
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {viewbox[0]} role="img" aria-label="{html.escape(alt, quote=True)}" '
        f'style="width:100%;max-width:{width:.0f}px;height:auto;fill:currentColor;stroke-linejoin:round">'
        f"{_private(body, alt)}</svg>"
    )


def _short(svg: str) -> str:
    """The same drawing in fewer letters."""
    svg = _one_grid(svg)
    svg = _plain_marks(svg)
    svg = re.sub(r"(?<=>) +(?=<)", "", svg)
    svg = _without_bare_groups(svg)
    svg = re.sub(r'(?<=<text )style="fill: currentColor" ?|; fill: currentColor(?=[";][^<]*<)', "", svg)
    svg = re.sub(r'style="([^"]*)"', lambda m: 'style="' + re.sub(r"([:;,]) ", r"\1", m[1]) + '"', svg)
    svg = re.sub(r"(\d+\.\d{2})\d+(?=[^<>]*>)", r"\1", svg)  # in coordinates, not in text
    svg = re.sub(r"(\d+\.\d*?)0+(?=[^\d<>][^<>]*>)", lambda m: m[1].rstrip("."), svg)
    svg = re.sub(r'\bd="([^"]*)"', lambda m: 'd="' + re.sub(r" ?([MLCQZz]) ?", r"\1", m[1]).strip() + '"', svg)
    return re.sub(r" +(?=/?>)", "", svg)


def _one_grid(svg: str) -> str:
    """All grid lines of a panel as one path, where the first of them stood: nothing else lies between."""
    lines: dict[str, list[str]] = {}
    clip = re.compile(r'clip-path="([^"]*)"')

    def panel(found: re.Match[str]) -> str:
        given = clip.search(found[0])
        return (given[1] if given else "") + found[2]

    for found in _GRID.finditer(svg):
        lines.setdefault(panel(found), []).append(found[1])

    def first(found: re.Match[str]) -> str:
        own = lines.pop(panel(found), None)
        return f'<path d="{" ".join(own)}" style="{found[2]}"/>' if own else ""

    return _GRID.sub(first, svg)


def _plain_marks(svg: str) -> str:
    """Marks and ticks repeat in each use what the drawing they use says already."""
    own = {
        found[1]: set(found[2].split("; ")) for found in re.finditer(r'<path id="([^"]+)" [^>]*?style="([^"]*)"', svg)
    }

    def plain(found: re.Match[str]) -> str:
        kept = [rule for rule in found[3].split("; ") if rule not in own.get(found[1], ())]
        kept = [rule for rule in kept if rule != "fill: currentColor"]
        return f'<use href="#{found[1]}"{found[2]}' + (f' style="{"; ".join(kept)}"' if kept else "") + "/>"

    return re.sub(r'<use href="#([^"]+)"([^>]*?) style="([^"]*)" ?/>', plain, svg)


def _without_bare_groups(svg: str) -> str:
    """Groups without an attribute that a page needs, unwrapped; empty ones dropped."""
    svg = re.sub(r"<g\b[^>]*/>", "", svg)  # of lines without a point
    svg = re.sub(r'<g id="[^"]*" ?>', "<g>", svg)
    out: list[str] = []
    bare: list[bool] = []
    for token in re.split(r"(<g\b[^>]*>|</g>)", svg):
        if token.startswith("<g"):
            bare.append(token == "<g>")
        if not (token in ("<g>", "</g>") and bare[-1]):
            out.append(token)
        if token == "</g>":
            bare.pop()
    return "".join(out)


def _private(svg: str, alt: str) -> str:
    """Short ids of the picture's own: ids are page-wide. Made from the content, so that builds repeat."""
    prefix = "p" + hashlib.sha256((svg + alt).encode()).hexdigest()[:8]
    used = dict.fromkeys(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    names = {old: f"{prefix}{number:x}" for number, old in enumerate(used)}
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{names[m[1]]}"' if m[1] in names else "", svg)
    return re.sub(r'(url\(#|href="#)([^)"]+)', lambda m: m[1] + names[m[2]], svg)
