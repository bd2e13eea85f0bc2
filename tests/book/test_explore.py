"""Explorers: the same controls with and without a kernel, limits that name their numbers."""

import base64
import json
import zlib
from dataclasses import dataclass

import pytest
from bs4 import BeautifulSoup

from book.shared.explore import explorer, number

widgets = pytest.importorskip("ipywidgets")


@dataclass(frozen=True)
class Fake:
    svg: str
    alt: str


def draw(a, b="x"):
    return Fake(f'<svg role="img" aria-label="{a} {b}"></svg>', f"a is {a} & b is {b}")


def parts(shown):
    _head, controls, picture = shown.children
    return {slider.tooltip: slider for slider in controls.children}, picture


@pytest.fixture
def build(monkeypatch):
    monkeypatch.setenv("COMPANION_BOOK_BUILD", "1")


@pytest.fixture
def kernel(monkeypatch):
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)


def test_with_a_kernel_a_move_draws_once_and_coming_back_draws_nothing(kernel):
    calls = []

    def counted(a):
        calls.append(a)
        return draw(a)

    sliders, picture = parts(explorer(counted, a=[1, 2, 3]))
    first = picture.value
    sliders["a"].index = 2
    assert 'aria-label="3 x"' in picture.value
    sliders["a"].index = 0
    assert picture.value == first
    assert calls == [1, 3]


def built(shown):
    """What the page gets: its HTML, and the states in the order of their numbers."""
    tree = BeautifulSoup(shown._repr_html_(), "html.parser")
    return tree, json.loads(zlib.decompress(base64.b64decode(tree.select_one(".explorer-states").string)))


def test_the_built_page_holds_every_state_in_the_order_of_its_controls(build):
    tree, states = built(explorer(draw, a=[1, 2, 3], b=["x", "y"]))
    assert [json.loads(control["data-says"]) for control in tree.select("[data-says]")] == [["1", "2", "3"], ["x", "y"]]
    read = [BeautifulSoup(state, "html.parser").svg["aria-label"] for state in states]
    assert read == ["1 x", "1 y", "2 x", "2 y", "3 x", "3 y"]


def test_the_built_page_loads_no_widget_and_is_dead_until_its_script_runs(build):
    shown = explorer(draw, a=[1, 2, 3], b=["x", "y"])
    assert not hasattr(shown, "_repr_mimebundle_")
    tree, _ = built(shown)
    assert all(control.has_attr("disabled") for control in tree.select("input"))
    assert len(tree.select("input")) == 3
    assert tree.select_one(".explorer-note").string.startswith("The explorer's first picture.")


@pytest.mark.parametrize("mode", ["kernel", "build"])
@pytest.mark.parametrize(
    ("values", "buttons"),
    [
        ([1, 2], True),
        ([False, True], True),
        (["a", "b", "c", "d"], True),
        ([1, 2, 3], False),
        (["a", "b", "c", "d", "e"], False),
    ],
)
def test_two_states_and_a_few_words_are_buttons_and_the_rest_a_slider(mode, values, buttons, request):
    request.getfixturevalue(mode)
    shown = explorer(draw, a=values)
    if mode == "build":
        kinds = {
            tag["type"]: len(built(shown)[0].select(f"input[type={tag['type']}]")) for tag in built(shown)[0]("input")
        }
        assert kinds == ({"radio": len(values)} if buttons else {"range": 1})
    else:
        assert isinstance(parts(shown)[0]["a"], widgets.ToggleButtons if buttons else widgets.SelectionSlider)


def test_start_is_shown_first_in_both_modes(monkeypatch):
    given = {"a": [1, 2, 3], "b": ["x", "y"], "start": {"a": 2, "b": "y"}}
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)
    sliders, picture = parts(explorer(draw, **given))
    assert (sliders["a"].label, sliders["b"].label) == ("2", "y")
    assert 'aria-label="2 y"' in picture.value
    monkeypatch.setenv("COMPANION_BOOK_BUILD", "1")
    tree, states = built(explorer(draw, **given))
    assert tree.select_one("input[type=range]")["value"] == "1"
    assert tree.output.string == tree.select_one("input[type=range]")["aria-valuetext"] == "2"
    assert [radio.has_attr("checked") for radio in tree.select("input[type=radio]")] == [False, True]
    assert str(tree.select_one(".explorer-picture").svg) == str(BeautifulSoup(states[3], "html.parser").svg)


def test_each_state_tells_its_picture_in_words(monkeypatch):
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)
    assert "a is 1 &amp; b is x" in parts(explorer(draw, a=[1]))[1].value
    monkeypatch.setenv("COMPANION_BOOK_BUILD", "1")
    assert "a is 1 &amp; b is x" in built(explorer(draw, a=[1]))[1][0]


def test_labels_and_title_reach_the_built_page(build):
    tree, _ = built(explorer(draw, a=[1, 2, 3], labels={"a": r"\(\alpha\) < 4"}, title="Mass < 1"))
    assert tree.select_one(".live-range span").string == r"\(\alpha\) < 4"
    assert tree.select_one("input")["aria-label"] == "a"
    assert tree.select_one(".explorer-title").string == tree.select_one(".explorer")["aria-label"] == "Mass < 1"


def test_labels_and_title_reach_the_page(kernel):
    shown = explorer(draw, a=[1, 2], labels={"a": r"\(\alpha\)"}, title="Mass < 1")
    sliders, _ = parts(shown)
    assert sliders["a"].description == r"\(\alpha\)"
    assert "Mass &lt; 1" in shown.children[0].value


def test_too_many_states_are_refused_with_the_numbers(kernel):
    with pytest.raises(ValueError, match=r"at most 60 states; got 8 x 8 = 64"):
        explorer(draw, a=range(8), b=range(8))


def test_too_many_bytes_are_refused_with_the_numbers(build):
    heavy = Fake("<svg>" + "x" * 400_000 + "</svg>", "heavy")
    with pytest.raises(ValueError, match=r"at most 1,500,000 bytes; got 1,6.* in 4 states"):
        explorer(lambda a: heavy, a=[1, 2, 3, 4])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "needs a parameter"),
        ({"a": []}, "a must hold at least one value"),
        ({"a": [1, 1.0]}, "a must hold values that read differently"),
        ({"a": [1], "labels": {"b": "B"}}, "labels names 'b'"),
        ({"a": [1], "start": {"b": 1}}, "start names 'b'"),
        ({"a": [1], "start": {"a": 7}}, r"start\['a'\] must be one of \[1\]; got 7"),
    ],
)
def test_bad_arguments_say_which_and_what(given, says):
    with pytest.raises(ValueError, match=says):
        explorer(draw, **given)


def test_a_draw_that_is_no_picture_is_refused(kernel):
    with pytest.raises(TypeError, match=r"draw must return a Picture .*got str"):
        explorer(lambda a: "<svg/>", a=[1])


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        (1, "1"),
        (10_000, "10,000"),
        (12345.678, "12,346"),
        (0.05, "0.05"),
        (1 / 3, "0.3333"),
        (-1.5, "−1.5"),
        (1e-6, "10⁻⁶"),
        (2.5e-5, "2.5·10⁻⁵"),
        (0.0, "0"),
        (float("inf"), "∞"),
        (True, "yes"),
        (None, "none"),
        ("Sum", "Sum"),
        ("1", "1"),
    ],
)
def test_numbers_read_as_a_person_writes_them(value, reads):
    assert number(value) == reads
