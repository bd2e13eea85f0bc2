"""Explorers: the same controls with and without a kernel, limits that name their numbers."""

from dataclasses import dataclass

import pytest

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


def leaf(picture):
    while hasattr(picture, "children"):
        picture = picture.children[picture.selected_index]
    return picture.value


def follow(picture, indices):
    """What the page shows when the sliders stand at `indices`: the links set one stack a level."""
    for index in indices:
        picture = picture.children[index]
    return picture.value


def test_the_built_page_holds_every_state_under_the_right_sliders(build):
    _, picture = parts(explorer(draw, a=[1, 2, 3], b=["x", "y"]))
    for i, a in enumerate([1, 2, 3]):
        for j, b in enumerate(["x", "y"]):
            assert f'aria-label="{a} {b}"' in follow(picture, (i, j))


def test_the_built_page_links_each_stack_to_its_slider(build):
    shown = explorer(draw, a=[1, 2, 3], b=["x", "y"])
    sliders, picture = parts(shown)
    from ipywidgets.widgets.widget import _instances

    joined = {
        (link.source[0].model_id, link.target[0].model_id)
        for link in list(_instances.values())
        if type(link).__name__ == "Link" and link.source[1] == "index" and link.target[1] == "selected_index"
    }
    assert (sliders["a"].model_id, picture.model_id) in joined
    for inner in picture.children:
        assert (sliders["b"].model_id, inner.model_id) in joined


@pytest.mark.parametrize("mode", ["kernel", "build"])
def test_start_is_shown_first_in_both_modes(mode, request):
    request.getfixturevalue(mode)
    sliders, picture = parts(explorer(draw, a=[1, 2, 3], b=["x", "y"], start={"a": 2, "b": "y"}))
    assert (sliders["a"].label, sliders["b"].label) == ("2", "y")
    assert 'aria-label="2 y"' in leaf(picture)


@pytest.mark.parametrize("mode", ["kernel", "build"])
def test_each_state_tells_its_picture_in_words(mode, request):
    request.getfixturevalue(mode)
    _, picture = parts(explorer(draw, a=[1]))
    assert "a is 1 &amp; b is x" in leaf(picture)


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
