"""Pictures: named, free of page-wide ids and styles, following the page's colours."""

import ast
import re
from pathlib import Path

import pytest

from book.shared import style


def draw():
    figure, ax = style.subplots()
    style.band(ax, [1, 2, 3], [1, 2, 3], [0, 1, 2], [2, 3, 4], color=style.BLUE, label="α & <β>")
    ax.legend()
    ax.annotate("note", (2, 2))
    return figure


def figures():
    """Every function of a room that returns a picture, read from the rooms: (room, name)."""
    for file in sorted(Path(style.__file__).parents[1].glob("[a-z]*/*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "Picture":
                yield file.stem, node.name


def test_every_figure_of_a_room_is_drawn_by_a_test():
    here = Path(__file__).parents[1].rglob("test_*.py")
    used = {word for file in here for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))}
    drawn = list(figures())
    assert len(drawn) > 50
    assert [f"{room}.{name}" for room, name in drawn if name not in used] == []


def test_picture_needs_words():
    with pytest.raises(ValueError, match="alt must say in words"):
        style.picture(draw(), "fig")


def test_picture_is_named_and_follows_the_page():
    svg = style.picture(draw(), 'A line that rises from 1 to 3, "quoted".').svg
    assert svg.startswith("<svg")
    assert 'role="img"' in svg
    assert 'aria-label="A line that rises from 1 to 3, &quot;quoted&quot;."' in svg
    assert "currentColor" in svg
    assert style.INK not in svg
    assert "#000000" not in svg, "text drawn outside the house style takes the page's colour too"
    assert "<style" not in svg, "a style element would speak to the whole page"
    assert "<script" not in svg
    assert "font-family" not in svg


def test_ids_are_private_and_links_meet_them():
    first = style.picture(draw(), "A line that rises from 1 to 3.").svg
    other = style.picture(draw(), "The same line, told otherwise.").svg
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    links = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', first))
    assert links == ids[0]


def test_pictures_repeat_to_the_byte():
    assert style.picture(draw(), "A line, twice.").svg == style.picture(draw(), "A line, twice.").svg


LIVE = Path(style.__file__).parents[1] / "_static" / "live.css"


def tones():
    """The colours of the explorables' style sheet by name: (on the light theme, on the dark theme)."""
    blocks = re.findall(
        r"^(?::root|html\[data-theme=\"dark\"\]) \{\n((?:  --companion-.*\n)+)\}", LIVE.read_text("utf-8"), re.M
    )
    light, dark = (dict(re.findall(r"--companion-([\w-]+): (#\w{6});", block)) for block in blocks)
    return {name: (light[name], dark[name]) for name in light}


def contrast(one, other):
    def luminance(code):
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", sorted({*style.CYCLE, *style.PALETTE.values()}))
@pytest.mark.parametrize("ground", ["#ffffff", "#14181e"])
def test_colours_keep_contrast_in_light_and_dark(colour, ground):
    """WCAG asks 3:1 of graphical objects. In a notebook the light tones stand on either ground."""
    assert contrast(colour, ground) >= 3


def test_explorables_and_figures_have_one_palette_and_the_dark_theme_a_lighter_tone():
    assert {name: light for name, (light, _) in tones().items()} == style.PALETTE
    for light, dark in tones().values():
        assert contrast(dark, "#14181e") > max(contrast(light, "#14181e"), 4.5)


def test_each_meaning_has_a_colour_of_its_own_among_those_that_stand_together():
    """Losses, kinds of features, and architectures: within each, no colour twice."""
    palette = style.PALETTE
    for together in (
        ("training", "fresh", "composition"),
        ("common", "once", "never"),
        ("sum", "linear", "two-layer", "cross-channel"),
    ):
        assert len({palette[name] for name in together}) == len(together)


def test_a_figure_takes_the_dark_themes_tone():
    svg = style.picture(draw(), "A line that rises from 1 to 3.").svg
    assert f"var(--companion-fresh,{style.FRESH})" in svg
    assert not re.search(rf"(?<!,){style.FRESH}", svg)


BOOK = Path(style.__file__).parents[1]
DRAWN = sorted([*BOOK.glob("[a-z]*/*.py"), *BOOK.glob("*.py"), *BOOK.glob("live/**/*.js")])


@pytest.mark.parametrize("file", DRAWN, ids=lambda file: str(file.relative_to(BOOK)))
def test_figures_name_their_colours(file):
    """A colour that is written out follows neither the palette nor the dark theme."""
    if file.name in ("style.py", "svg.py"):  # where the names are
        return
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"[\"']#[0-9a-fA-F]{3,8}[\"']", text) == []


def test_whiskers_show_the_interval_of_each_mean():
    """A mark at the mean, a whisker from low to high; one set of values for each place."""
    _, ax = style.subplots()
    style.whiskers(ax, [1, 2], [{"mean": 2, "low": 1, "high": 4}, {"mean": 5, "low": 5, "high": 6}], color=style.BLUE)
    (bars,) = ax.containers
    assert bars.lines[0].get_ydata().tolist() == [2, 5]
    assert [piece[:, 1].tolist() for piece in bars.lines[2][0].get_segments()] == [[1, 4], [5, 6]]
    with pytest.raises(ValueError, match="one length, got 1 and 0"):
        style.whiskers(ax, [1], [], color=style.BLUE)


NAMED = {
    "train": "TRAINING",
    "in_distribution": "FRESH",
    "population": "FRESH",
    "fresh": "FRESH",
    "composition": "COMPOSITION",
}


@pytest.mark.parametrize("file", [f for f in DRAWN if f.suffix == ".py"], ids=lambda file: str(file.relative_to(BOOK)))
def test_a_curve_of_a_loss_has_the_colour_of_its_meaning(file):
    """A key of a loss that stands beside a colour stands beside the one that has its name."""
    beside = re.findall(r"\"(\w+)\",(?: [^()\n]*?,)? \b([A-Z_]{3,})\b", file.read_text(encoding="utf-8"))
    hues = {name for name, value in vars(style).items() if name.isupper() and isinstance(value, str)} - {"INK"}
    assert [(key, hue) for key, hue in beside if key in NAMED and hue in hues and hue != NAMED[key]] == []
