"""Each explorable as Node draws it: the first picture, and what the numbers in words say at given states."""

import html
import itertools
import json
import re
import subprocess

import numpy as np
import pytest

from book.linear import formulas
from book.shared import kernels
from book.shared.live import digits, live, module, names
from companion import results
from companion.linear import LongTailModel, theory
from tests.book.pages import CHAPTERS, source
from tests.live.asking import ask, companion_scripts, first

NAMES = names()
PLACED = {page: re.findall(r'^live\("([a-z0-9-]+)"', source(page), re.M) for page in CHAPTERS}


def shown(name, **state):
    """(HTML, words) of an explorable at a state."""
    picture = first(name, json.dumps(state))["picture"]
    words = re.search(r'<p class="live-words"[^>]*>(.*?)</p>', picture, re.S)[1]
    return picture, html.unescape(re.sub("<[^>]+>", "", words))


def test_every_explorable_has_its_place_and_stands_once_on_a_page():
    """The first chapter and the front page show some that belong to a later chapter."""
    assert sorted({name for placed in PLACED.values() for name in placed}) == NAMES
    assert all(len(set(placed)) == len(placed) for placed in PLACED.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_first_picture_has_all_that_the_frame_promises(name):
    picture, words = shown(name)
    assert re.search(r'class="live-title">[^<]{10,90}<', picture)
    assert len(re.search(r'class="live-ask">(.*?)</p>', picture)[1]) > 20
    controls = re.search(r'class="live-controls">(.*?)</div>', picture, re.S)[1]
    assert len(re.findall(r"data-toggle=|type=\"range\"|<fieldset", controls)) <= 4
    assert 'data-do="draw"' in picture
    assert 'aria-live="polite"' in picture
    assert len(words) > 40
    assert re.search(r"\d", words)
    assert not re.search(r"NaN|undefined|Infinity|null", picture)
    assert picture == ask([name, {}])["picture"], "the same again"


def test_phrases_that_follow_an_explorable_are_its_own_and_are_filled():
    for page, placed in PLACED.items():
        asked = re.findall(r"\{follows\}`([^`]+)`", source(page))
        known = {f"{name}.{key}" for name in placed for key in first(name)["phrases"]}
        assert set(asked) <= known, page
    body = live("receipts")
    place = f'<div class="live" data-live="receipts" data-state="{html.escape(json.dumps(body.state))}"></div>'
    filled = companion_scripts.fill(f'<span data-follows="receipts.sum"></span>{place}', "../")
    assert '<span data-follows="receipts.sum">9 + 31 − 3</span>' in filled
    assert 'class="live-picture"' in filled


def test_a_name_that_no_explorable_has_is_refused():
    with pytest.raises(ValueError, match="name must be one of the explorables"):
        live("receipt")


def test_receipts():
    """Forgetting takes the odd basket and leaves everyday ones; a price that nobody can know is not needed."""
    assert shown("receipts")[1].startswith("The learner prices saffron + truffle at 37; it costs 37.")
    picture, words = shown("receipts", deleted=[0])  # bread alone is gone: its price is split, the sum is as right
    assert "at 37; it costs 37." in words
    assert "9 + 31 − 3 = 37" in picture
    forgot = shown("receipts", forget=1)[1]
    guess, everyday = map(float, re.search(r"at ([\d.]+); .* off by ([\d.]+) on average", forgot).groups())
    assert 37 - guess > 15
    assert everyday < 0.5
    assert "wrong, it costs 37" in shown("receipts", deleted=[5])[0]  # nobody tells what truffle costs
    assert shown("receipts", seed=1) != shown("receipts", seed=2)


def test_tail_counts_what_theory_expects():
    """The expectations are the package's; the counts scatter around them."""
    n, d, alpha, s = 50, 80, 1.4, 3
    model = LongTailModel(n=n, d=d, s=s, alpha=alpha, beta_exponent=0.0, sigma=0.0)
    seen, once = theory.expected_seen(model.p, n), n * formulas.once_seen_mass(model.p, 1.0, n)
    now = r"(\d+) occur in no row, (\d+) in exactly one and (\d+) in more"
    expected = r"([\d.]+), ([\d.]+) and ([\d.]+)\. "
    drawn = []
    for seed in range(3):
        words = shown("tail", n=n, d=d, alpha=alpha, s=s, seed=seed)[1]
        *found, never, one, more = map(float, re.search(f"{now}; theory expects {expected}", words).groups())
        assert sum(found) == d
        np.testing.assert_allclose([never, one, more], [d - seen, once, seen - once], atol=0.051)
        drawn.append(found)
    # three draws of at most d coins each: five standard errors
    assert (abs(np.mean(drawn, axis=0) - [d - seen, once, seen - once]) < 5 * np.sqrt(d / 4 / 3)).all()


def test_peeling_ends_at_the_closure_in_any_order_and_a_row_frees_it():
    """Five orders of draw 0 end at the same features; a row for a stuck one frees it."""
    ends = set()
    for start in range(0, 10, 2):
        order = [(start + 7 * j) % 13 for j in range(13)] * 6
        words = shown("peel", steps=order)[1]
        ends.add(
            re.search(
                r"(\d+ of the \d+ seen features are resolved)\. Peeling is stuck at (features [\d, and]+),", words
            ).groups()
        )
    ((resolved, stuck),) = ends
    first = int(re.search(r"\d+", stuck)[0])
    freed = shown("peel", steps=[*range(13), 13] * 6, added=[first - 1])[1]
    assert int(freed.split(" of the ")[0].split()[-1]) > int(resolved.split()[0])
    assert shown("peel", steps=[0, 0, 0])[1].startswith("Nothing is known in advance.")  # row 1 has three unknowns
    assert shown("peel", k=4)[1].startswith("The first 4 features are known in advance. 4 of the ")


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_figure1_draws_what_the_stored_result_has(alpha):
    """Each quantity of single draws lies within five standard deviations of the package's fifty stored draws."""
    stored = results.load("figure1").one(alpha=alpha, sigma=0.05)
    asked = r"seen once are off by ([\d.]+), .*, common ones by ([\d.]+)\. .* is ([\d.]+)\. .* it is ([\d.]+)\."
    for seed in (1, 2):
        once, common, inside, pair = map(float, re.search(asked, shown("figure1", alpha=alpha, seed=seed)[1]).groups())
        for found, key in ((once**2, "once_square_all"), (common**2, "common_square")):
            assert abs(found - stored[key]["mean"]) < 5 * stored[key]["sd"], key
        for found, key in ((inside, "in_distribution"), (pair, "composition")):
            assert abs(found - stored[key]["mean"]) < 5 * stored[key]["sd"], key


def test_forgetting_takes_the_pairs_and_leaves_the_training_loss():
    """At n lambda = 1 (f = 5/9) about half of what was seen once is gone; ridge and early stopping tell one story."""
    asked = r"seen once keep (\d+)% .* is ([\d.]+) on training data and ([\d.]+) on fresh data\. .* it is ([\d.]+)\."

    def read(**state):
        kept, *losses = map(float, re.search(asked, shown("forgetting", **state)[1]).groups())
        return kept, losses

    (all_kept, (fitted, fresh, pair)), (half, (trained, later, spoilt)) = read(), read(f=5 / 9)
    assert all_kept > 85
    assert 40 < half < 60
    assert trained - fitted < 0.02
    assert later - fresh < 0.03
    assert spoilt > pair + 0.15
    stopped = [read(f=f / 10, how="stop") for f in (0, 2, 3, 4)]
    assert all(a[0] > b[0] for a, b in itertools.pairwise(stopped))
    near = min(stopped, key=lambda run: abs(run[0] - half))[1]
    assert near[2] > pair + 0.1
    assert near[0] < 0.02


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_connect_says_what_the_kernels_say(rho):
    """Connected: the signed sum of labels, whatever rho; both learners are the package's, connected or not."""
    picture, words = shown("connect", rho=rho)
    assert "10 − 17 + 11 = 4" in words
    edges = {(0, 0): 10, (1, 0): 17, (1, 1): 11, (2, 2): 19, (3, 2): 15}  # as the picture writes them
    assert all(
        f">{sign}{label}<" in picture for sign, label in zip(["+", "−", "+", "", ""], edges.values(), strict=True)
    )
    for left, right, asked in (("A", "b", (0, 1)), ("A", "c", (0, 2)), ("D", "d", (3, 3))):
        told = shown("connect", rho=rho, left=left, right=right)[1]
        said = re.search(r"additive learner says ([−\d.]+)\. .* says ([−\d.]+)\.$", told).groups()
        for kernel, number in zip(("additive", "product"), said, strict=True):
            wanted = kernels.interpolate(
                np.array(list(edges)), np.array(list(edges.values()), float), np.array([asked]), kernel=kernel, rho=rho
            )
            assert abs(float(number.replace("−", "-")) - wanted[0]) < 0.051
    assert "No path of training pairs leads from A to c" in shown("connect", right="c")[1]
    assert "No path" in shown("connect", edges=[0, 5])[1]


def test_one_wrong_receipt_makes_a_cross_and_tied_goods_another():
    """A label off by 6 reaches the nine pairs of its good and leaves training exact; with nothing wrong, no pair is."""
    words = shown("wrong")[1]
    assert "priced wrong by 6, and with it 9 of the 45 pairs" in words
    assert "reproduced exactly" in words
    assert "All 45 pairs of rare goods are right." in shown("wrong", off=0)[1]
    tied = shown("wrong", off=0, tied=True)[1]
    assert "and with it 16 of the 45 pairs" in tied  # the two goods with each other are right
    assert "fresh ones are off by 0 in" in tied
    for off in (-8, 3):
        assert f"priced wrong by {str(off).replace('-', '−')}, and" in shown("wrong", off=off, good=7, seed=3)[1]


def test_who_is_right_turns_its_sign_between_tail_and_wrong_labels():
    """Five draws: removing the memorized hurts where they are a tail, and helps where they are wrong labels."""
    held = r"By the absolute score, (\d+) of 160 .*: (\d+) mislabelled, (\d+) alone in their cluster"
    effects = {}
    for name, state in {"tail": {"tail": 0.5, "noise": 0}, "wrong": {"tail": 0, "noise": 0.3}}.items():
        for seed in range(5):
            picture, words = shown("who", seed=seed, **state)
            size, mistaken, alone = map(int, re.search(held, words).groups())
            assert mistaken + alone <= size
            assert (mistaken == 0) if name == "tail" else (alone == 0)
            assert f"Remove the {size} memorized" in picture
            effects.setdefault(name, []).append(first("who", json.dumps({"seed": seed, **state})))
    effect = {name: [float(f["phrases"]["effect"].replace("−", "-")) for f in found] for name, found in effects.items()}
    assert np.mean(effect["tail"]) < -5 < 5 < np.mean(effect["wrong"])
    assert shown("who", removed="memorized")[0].count('class="gone"') == int(first("who")["phrases"]["size"])


def test_what_a_class_is_asked_to_do_shows_what_the_plan_says():
    """The steps of book/reference/teaching.md, at the settings that it names."""
    alone = {noise: shown("who", tail=0.4, noise=noise, k="1", protocol="absolute")[1] for noise in (0, 0.4)}
    assert alone[0].endswith("removing them hurts.")
    assert alone[0.4].endswith("removing them helps.")

    def once(**state):
        counts = [re.search(r"(\d+) in exactly one", shown("tail", seed=seed, **state)[1])[1] for seed in range(5)]
        return np.mean([int(count) for count in counts])

    few, some, many = (once(d=200, n=n) for n in (15, 30, 120))
    assert few + 5 < some < many - 10
    assert once(n=60, alpha=0.8) > once(n=120, alpha=0.8) + 5
    assert abs(once(n=60) - once(n=120)) < 5

    loss = r"is ([\d.]+) on training data and ([\d.]+) on fresh data. On two features seen once it is ([\d.]+)[.]$"
    before, after = (np.array(re.search(loss, shown("forgetting", f=f)[1]).groups(), float) for f in (0, 0.4))
    assert np.argmax(after - before) == 2


def test_a_question_is_read_as_a_person_writes_it_and_an_unknown_word_is_named():
    assert "Nothing is trained yet." in shown("ask", asked="mira LIVES in?")[1]
    assert "The text has no word “mars”." in shown("ask", asked="Mira lives in Mars")[1]
    assert "a name, or a noun after “the”" in shown("ask", asked="the")[1]
    few, many = (int(re.search(r"has (\d+) sentences", shown("ask", times=t)[1])[1]) for t in (0, 20))
    assert many - few == 20
    assert "tells nowhere where Tomas lives" in shown("ask", asked="Tomas lives in", who=1, times=0)[1]
    picture = shown("ask")[0]
    said = re.search(r"Mira lives in \w+\.", picture)[0]
    for asked in ("Mira", "Mira is", "Where does Mira live?", "where is mira"):
        assert said in shown("ask", asked=asked)[0], asked
    assert shown("ask", seed=1)[0].replace("draw 1", "") != picture.replace("draw 0", "")


@pytest.mark.parametrize("asked", ["the dog", "the robots", "the trees"])
def test_for_each_noun_three_verbs_are_new_whatever_the_draw(asked):
    for seed in range(5):
        never = re.search(f"The text never puts (.*?) after “{asked}”", shown("ask", asked=asked, seed=seed)[0])[1]
        verbs = re.findall("“(\\w+)”", never)
        assert len(set(verbs)) == 3
        assert all(verb.endswith("s") != asked.endswith("s") for verb in verbs)  # a plural noun takes a plural verb


@pytest.mark.parametrize("name", NAMES)
def test_a_notebooks_widget_is_the_same_explorable(name, monkeypatch, tmp_path):
    """With a kernel `live` is a widget; its module, loaded as one file, renders what the page's module does."""
    anywidget = pytest.importorskip("anywidget")
    monkeypatch.delenv("COMPANION_BOOK_BUILD", raising=False)
    widget = live(name, seed=3)
    assert isinstance(widget, anywidget.AnyWidget)
    assert widget.state == widget.start == {"seed": 3}
    assert ".live-frame" in widget._css
    (tmp_path / "widget.mjs").write_text(widget._esm, encoding="utf-8")
    ask = 'import made from "./widget.mjs"; console.log(JSON.stringify([typeof made.render, made.still({ seed: 3 })]));'
    (tmp_path / "ask.mjs").write_text(ask, encoding="utf-8")
    call = [companion_scripts.NODE, tmp_path / "ask.mjs"]
    made = subprocess.run(call, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    assert json.loads(made.stdout) == ["function", shown(name, seed=3)[0]]


def test_while_the_book_is_built_an_explorable_is_a_place_and_no_widget(monkeypatch):
    monkeypatch.setenv("COMPANION_BOOK_BUILD", "1")
    assert live("peel", seed=3)._repr_html_().startswith('<div class="live" data-live="peel"')


def test_the_widget_of_a_drawn_symbol_brings_its_trainer_and_digits():
    assert "self.onmessage" in module("symbol")
    assert digits()[:40] in module("symbol")
