"""Figures for phones: every panel is kept, letters are large and stay inside, labels that were lent return."""

import base64
import itertools
import json
import re
import xml.etree.ElementTree as ET
import zlib

import pytest

from book.shared import phone, style
from book.shared.explore import explorer


def two_panels(**options):
    figure, axes = style.subplots(1, 2, size=(8.4, 3.2), **options)
    for number, ax in enumerate(axes):
        ax.plot([0, 1], [0, 1 + number])
        ax.set(title=f"panel {number}", xlabel="share of the training set that each of the models was shown")
    axes[0].set_ylabel("loss")
    return figure


@pytest.fixture
def build(monkeypatch):
    monkeypatch.setenv("COMPANION_BOOK_BUILD", "1")


def test_outside_the_book_a_figure_is_drawn_once(monkeypatch):
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)
    shown = style.picture(two_panels(), "Two lines that rise from 0.")
    assert shown.phone == ""
    assert shown._repr_html_().count("<svg") == 1


def test_a_wide_figure_is_drawn_twice_and_both_are_named(build):
    shown = style.picture(two_panels(), "Two lines that rise from 0.")
    wide, narrow = ET.fromstring(shown.svg), ET.fromstring(shown.phone)
    assert (wide.get("class"), narrow.get("class")) == ("wide", "phone")
    assert wide.get("aria-label") == narrow.get("aria-label") == shown.alt
    assert not set(re.findall(r' id="([^"]+)"', shown.svg)) & set(re.findall(r' id="([^"]+)"', shown.phone))


def test_letters_of_the_phones_drawing_are_legible(build):
    """Ten pixels for a tick label in a column of 350, and nothing beyond the picture's edge."""
    narrow = ET.fromstring(style.picture(two_panels(), "Two lines that rise from 0.").phone)
    width = float(narrow.get("viewBox").split()[2])
    assert 9 * 350 / width >= 10


def test_a_narrow_figure_stays_as_it_is(build):
    figure, ax = style.subplots(size=(4.2, 3.0))
    ax.plot([0, 1], [0, 1])
    shown = style.picture(figure, "One line that rises from 0 to 1.")
    assert shown.phone == ""
    assert "class=" not in shown.svg


def test_stacked_panels_have_their_own_axis_labels(build):
    figure = two_panels(sharey=True)
    assert figure.axes[1].get_ylabel() == ""
    assert phone.fit(figure) == "1x2"
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "loss"]
    first, second = (ax.get_window_extent() for ax in figure.axes)
    assert first.y0 > second.y1, "the left panel stands above the right one"
    assert all(label.get_visible() for label in figure.axes[1].get_yticklabels())


def test_long_labels_are_broken_but_no_formula(build):
    figure, ax = style.subplots(size=(7.0, 3.0))
    ax.set(title=r"a title that is much too long for a phone, with $\frac{a b}{c d}$ near its very end, as it happens")
    phone.fit(figure)
    figure.draw_without_rendering()
    assert "\n" in ax.get_title()
    assert r"$\frac{a b}{c d}$" in ax.get_title()
    assert ax.title.get_window_extent().width <= figure.bbox.width


def test_words_under_an_axis_do_not_touch(build):
    figure, ax = style.subplots(size=(8.0, 3.0))
    ax.bar(range(4), range(4))
    ax.set_xticks(
        range(4), ["balanced classes, no wrong labels", "wrong labels", "long-tailed classes", "both of them"]
    )
    phone.fit(figure)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 <= right.x0 for left, right in itertools.pairwise(boxes))


def test_a_legend_of_the_figure_takes_as_many_columns_as_fit(build):
    figure, ax = style.subplots(size=(8.0, 3.0))
    for name in ("everything that was kept", "as many random points", "only what was memorized"):
        ax.plot([0, 1], [0, 1], label=name)
    figure.legend(loc="outside upper center", ncols=3)
    phone.fit(figure)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.texts[0].get_text() == "everything that was kept"
    assert legend.get_window_extent().width <= figure.bbox.width


def test_items_of_a_list_flow(build):
    figure, axes = style.subplots(2, 6, size=(7.2, 3.0))
    assert phone.fit(figure, flow=True) == ""
    figure.draw_without_rendering()
    rows = {round(ax.get_window_extent().y0) for ax in axes.flat}
    assert len(rows) == 4
    width, height = figure.get_size_inches()
    assert width == phone.WIDTH
    assert height == 6.0


def test_many_panels_keep_their_grid(build):
    figure, axes = style.subplots(3, 4, size=(8.0, 6.0))
    assert phone.fit(figure) == ""
    columns = {ax.get_subplotspec().colspan.start for ax in axes.flat}
    assert len(columns) == 4


def test_an_explorer_holds_both_drawings(build):
    shown = explorer(lambda a: style.picture(two_panels(), f"Two lines, drawn for {a}."), a=[1, 2])
    states = json.loads(zlib.decompress(base64.b64decode(shown.states)))
    assert len(states) == 2
    assert all('class="wide"' in page and 'class="phone"' in page for page in states)


def test_a_single_word_that_is_too_long_is_turned(build):
    figure, ax = style.subplots(size=(8.0, 3.0))
    ax.bar(range(12), range(12))
    ax.set_xticks(range(12), ["cross-channel", "deepsets"] * 6)
    phone.fit(figure)
    figure.draw_without_rendering()
    assert {label.get_rotation() for label in ax.get_xticklabels()} == {40}


def test_a_long_strip_of_pictures_is_folded_with_its_columns_whole(build):
    figure, axes = style.subplots(3, 10, size=(8.4, 3.0))
    for ax in axes.flat:
        ax.set_axis_off()
    phone.fit(figure)
    figure.draw_without_rendering()
    spec = {place: axes[place].get_subplotspec() for place in ((2, 0), (0, 5), (2, 9))}
    assert [(s.rowspan.start, s.colspan.start) for s in spec.values()] == [(2, 0), (3, 0), (5, 4)]


def test_the_architectures_are_drawn_for_phones_with_all_their_words(build):
    from book.networks.architectures import fig_architectures

    shown = fig_architectures()
    wide, narrow = (re.findall(r">([^<>]+)</text>", svg) for svg in (shown.svg, shown.phone))
    assert wide == narrow
    left, right = (float(ET.fromstring(svg).get("viewBox").split()[2]) for svg in (shown.svg, shown.phone))
    assert right < 400 < left
    assert all(float(x) <= right for x in re.findall(r' x="([\d.]+)"', shown.phone))


@pytest.mark.parametrize(
    ("shape", "letters"), [((1, 2), "ab"), ((2, 2), "abcd"), ((1, 1), ""), ((1, 3), ""), ((2, 1), "")]
)
def test_two_panels_and_two_by_two_are_lettered_for_their_caption(build, shape, letters):
    figure, axes = style.subplots(*shape, size=(8.4, 3.2), squeeze=False)
    axes.flat[0].set_title("with a title")
    shown = style.picture(figure, "Panels without a line in them.")
    for svg in (shown.svg, shown.phone):
        assert re.findall(r"\((\w)\)", " ".join(re.findall(r">([^<>]+)</text>", svg))) == list(letters)
    assert ("(a) with a title" in shown.svg) == bool(letters)


def test_twins_share_a_letter_and_pictures_have_none(build):
    figure, axes = style.subplots(1, 2, size=(8.4, 3.2))
    axes[0].twinx()
    assert style.picture(figure, "Three axes in two panels.").svg.count("(a)") == 1
    for ax in axes:
        ax.set_axis_off()
    figure, axes = style.subplots(1, 2, size=(8.4, 3.2))
    for ax in axes:
        ax.set_axis_off()
    assert "(a)" not in style.picture(figure, "Two pictures beside each other.").svg
