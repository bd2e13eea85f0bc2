"""What enters a public function is converted once, and what comes back is what is used.

Every good call of `tests.test_argument_names` is made again with the same values in other clothes: NumPy's own
numbers, arrays backwards, in the other byte order, as tensors or data frames, masked, or with a value missing.
"""

import ast
import dataclasses
import inspect
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch

import companion.memorization as mem
from book.linear import data as data_room
from companion import _validate as check
from companion import linear
from companion.neural import images, models, tasks, train

from .test_argument_names import CALLS, UNKNOWN, called

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("companion", "book")
DOORS = {name for name, thing in vars(check).items() if inspect.isfunction(thing) and not name.startswith("_")}
DOORS |= {"multiplicities", "pictures", "vector_like"}

bank = np.arange(5 * 28 * 28, dtype=np.uint8).reshape(5, 28, 28)
triples = np.array([[0, 1, 2], [2, 1, 0]])
embedded = {"source": "embedded", "triples": 40, "test_triples": 20, "seed": 0}
MORE = {
    "tasks.zipf": (tasks.zipf, {"exponent": 1.5}),
    "tasks.combine": (tasks.combine, {"labels": triples, "target": "product"}),
    "tasks.digit_sums": (tasks.digit_sums, {**embedded, "zipf_exponent": 1.5, "nine": 0.25}),
    "tasks.Triples": (tasks.Triples, {"index": triples, "target": np.array([3.0, 3.0]), "labels": triples}),
    "models.build": (models.build, {"name": "2-layer", "width": 32, "seed": 3, "hidden": 200}),
    "images.glyphs": (images.glyphs, {"source": "embedded", "classes": 30, "seed": 3}),
    "train.Recipe": (train.Recipe, {"epochs": 200, "batch": 3, "lr": 0.1, "weight_decay": 0.1, "warmup": 0.3}),
    "train.learning_rate": (train.learning_rate, {"step": 3, "steps": 200, "recipe": train.Recipe()}),
    "train.epoch_order": (train.epoch_order, {"n": 200, "epoch": 1, "seed": 3}),
    "train.predict": (
        train.predict,
        {"model": models.build("sum", width=2, seed=0), "bank": bank, "index": triples, "batch": 1},
    ),
}
NAMES = [*CALLS, *MORE]


def good(name):
    return MORE[name][1] if name in MORE else CALLS[name]


def outcome(name, given):
    """What the call gives, or the error it ends in."""
    try:
        return MORE[name][0](**given) if name in MORE else called(name, given)
    except (TypeError, ValueError) as error:
        return error


def plain(value):
    """A result as nested tuples of types, shapes and bytes, to compare two digit by digit."""
    if isinstance(value, torch.nn.Module):
        value = list(value.state_dict().values())
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if sp.issparse(value):
        value = value.toarray()
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, mem.NearestNeighbour):
        value = [value.y, value.distance]
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple)):
        return tuple(plain(part) for part in value)
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape, np.ascontiguousarray(value).tobytes()
    return (type(value), str(value)) if isinstance(value, Exception) else (type(value), repr(value))


def sources():
    return [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]


def imported_doors(tree):
    """Names in a module that stand for doors, and for the module of doors."""
    names, modules = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                if one.name == "_validate":
                    modules.add(one.asname or one.name)
                elif one.name in DOORS and (node.module or "").endswith(("_validate", "tasks")):
                    names.add(one.asname or one.name)
    return names, modules


def checked_name(node, names, modules):
    """The variable or attribute that this node passes through a door, as source text."""
    if not isinstance(node, ast.Call):
        return None
    door = node.func
    if isinstance(door, ast.Attribute) and isinstance(door.value, ast.Name) and door.value.id in modules:
        known = door.attr in DOORS
    else:
        known = isinstance(door, ast.Name) and door.id in names
    given = [*node.args[1:2], *(word.value for word in node.keywords)] or node.args[:1]
    return [ast.unparse(one) for one in given if isinstance(one, (ast.Name, ast.Attribute))] if known else None


def harmless(function):
    """Nodes in which a raw argument may stand: what only asks for its kind, and messages."""
    asks = {"isinstance", "isscalar", "shape", "callable", "len"}
    for node in ast.walk(function):
        is_none = isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Is, ast.IsNot))
        called = node.func if isinstance(node, ast.Call) else None
        word = called.id if isinstance(called, ast.Name) else getattr(called, "attr", None)
        if isinstance(node, ast.Raise) or is_none or word in asks:
            yield from map(id, ast.walk(node))


def thrown_away(text):
    """Lines of a module where a door's result is dropped, or an argument is used raw after its door."""
    tree = ast.parse(text)
    names, modules = imported_doors(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and checked_name(node.value, names, modules):
            yield node.lineno, f"{ast.unparse(node)}: the result is dropped"
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        arguments = {a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
        through = [node for node in ast.walk(function) if checked_name(node, names, modules)]
        inside = {id(part) for node in through for part in ast.walk(node)} | set(harmless(function))
        stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for argument in {one for node in through for one in checked_name(node, names, modules)} & arguments - stored:
            raw = [
                n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == argument and id(n) not in inside
            ]
            if raw:
                yield raw[0].lineno, f"{function.name}: {argument} went through a door and is used as it was given"


def test_no_door_is_only_a_gate():
    """The kind of fault behind every overflow: a check that returns the number, and a caller that keeps NumPy's."""
    found = [
        f"{file.relative_to(ROOT)}:{at}: {what}" for file in sources() for at, what in thrown_away(file.read_text())
    ]
    assert found == []
    assert len(sources()) > 60


@pytest.mark.parametrize(
    "body",
    [
        "    positive_int('n', n)\n    return n + 1",
        "    m = positive_int('n', n)\n    return m * n",
        "    return positive_int('n', n) + n",
    ],
)
def test_a_gate_is_found(body):
    assert len(list(thrown_away(f"from companion._validate import positive_int\ndef f(n):\n{body}\n"))) >= 1


def numpy_twins(value, others):
    """(Python number, the same as NumPy's numbers) to try in place of a good value, and `others` beside it."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    if isinstance(value, int):
        for n in {value, 200, 100_000} if others else {value}:
            kinds = [np.int64, np.int32] + ([np.uint8] if 0 <= n < 256 else [])
            yield n, [kind(n) for kind in kinds]
    else:
        for x in {value, float(np.float16(0.3)), float(np.float16(1.7))} if others else {value}:
            yield x, [np.float64(x)] + ([kind(x) for kind in (np.float32, np.float16) if float(kind(x)) == x])


#: sizes at which a call takes long or much memory
COSTLY = {
    *(("LongTailMixture", name) for name in ("clusters", "dimension")),
    ("empty_column_average", "n"),
    ("fixed_points", "grid"),
    ("gradient_descent", "steps"),
    ("permutation_null", "repeats"),
    ("blocks", "per_decade"),
    ("removal_curve", "controls"),
    ("subset_masks", "t"),
    ("first_neighbour_law", "n"),
}


def comparisons(name):
    for argument, value in good(name).items():
        for number, twins in numpy_twins(value, name not in MORE):
            if number == 100_000 and (name, argument) in COSTLY:
                continue
            expected = outcome(name, {**good(name), argument: number})
            if isinstance(expected, Exception):
                continue
            for twin in twins:
                got = outcome(name, {**good(name), argument: twin})
                yield argument, twin, plain(got) == plain(expected)


@pytest.mark.parametrize("name", NAMES)
def test_numpy_numbers_count_as_python_numbers(name):
    made = list(comparisons(name))
    assert [(argument, twin) for argument, twin, same in made if not same] == []
    assert made or not any(type(value) in (int, float) for value in good(name).values())


def arrays(name):
    return {argument: value for argument, value in good(name).items() if isinstance(value, np.ndarray)}


def backwards(value):
    flipped = value[(slice(None, None, -1),) * value.ndim]
    return flipped.copy()[(slice(None, None, -1),) * value.ndim]


def other_clothes(value):
    yield "backwards", backwards(value)
    yield "byte order", value.astype(value.dtype.newbyteorder(">"))
    read_only = value.copy()
    read_only.setflags(write=False)
    yield "read-only", read_only
    yield "objects", value.astype(object)
    if value.dtype != np.uint8:
        yield "list", value.tolist()
    tensor = torch.tensor(value)
    yield "tensor", tensor.requires_grad_() if value.dtype.kind == "f" else tensor
    yield "unmasked", np.ma.masked_array(value, mask=np.zeros(value.shape, bool))
    nullable = {"b": "boolean", "i": "Int64", "f": "Float64"}.get(value.dtype.kind)
    if value.ndim < 3 and nullable:
        yield "nullable", (pd.Series if value.ndim == 1 else pd.DataFrame)(value).astype(nullable)
    if value.ndim == 2 and value.dtype.kind == "f" and value[:, 0].size and np.isin(value[:, 0], (0, 1)).all():
        frame = pd.DataFrame(value)
        frame[0] = frame[0].astype(bool)
        yield "mixed frame", frame


@pytest.mark.parametrize("name", [name for name in NAMES if arrays(name)])
def test_the_same_array_in_other_clothes_gives_the_same(name):
    expected = plain(outcome(name, good(name)))
    for argument, value in arrays(name).items():
        for clothes, worn in other_clothes(value):
            if clothes == "objects" and value.dtype == np.uint8:
                continue  # pictures are their dtype
            assert plain(outcome(name, {**good(name), argument: worn})) == expected, (argument, clothes)


@pytest.mark.parametrize("name", [name for name in NAMES if arrays(name)])
def test_a_masked_or_missing_entry_is_refused_by_name(name):
    for argument, value in arrays(name).items():
        first = np.zeros(value.shape, bool)
        first.flat[0] = True
        hidden = np.ma.masked_array(value, mask=first)
        for worn in [hidden, list(hidden)] if value.ndim > 1 else [hidden]:
            told = outcome(name, {**good(name), argument: worn})
            assert isinstance(told, ValueError), (argument, worn)
            assert str(told).startswith(f"{argument} must not be masked, got 1 masked value"), told
        for missing in (None, pd.NA, pd.NaT):
            holed = value.astype(object)
            holed.flat[-1] = missing
            frame = [holed] if value.ndim > 2 else [holed, (pd.Series if value.ndim == 1 else pd.DataFrame)(holed)]
            for worn in frame:
                told = outcome(name, {**good(name), argument: worn})
                unknown = (name, argument) in UNKNOWN and not isinstance(told, Exception)
                assert unknown or str(told).startswith(f"{argument} must "), (argument, missing, told)
                assert unknown or isinstance(told, (TypeError, ValueError))


@pytest.mark.parametrize("name", NAMES)
def test_huge_whole_numbers_are_refused_by_name(name):
    """Beyond a float, beyond what is printed, beyond 64 bits."""
    for huge, (argument, value) in itertools.product([10**400, -(10**400), 10**5000, 2**63], good(name).items()):
        if type(value) in (int, float) and argument != "seed" and (type(value), huge) != (float, 2**63):
            told = outcome(name, {**good(name), argument: huge})
            assert isinstance(told, (TypeError, ValueError)), argument
            assert str(told).startswith(f"{argument} must "), told
            assert len(str(told)) < 200


def test_seeds_may_be_of_any_size():
    assert check.generator(10**40).integers(2**60) == np.random.default_rng(10**40).integers(2**60)
    assert check.generator((3, 1)).integers(2**60) == np.random.default_rng((3, 1)).integers(2**60)
    assert check.generator(np.int64(7)).integers(2**60) == np.random.default_rng(7).integers(2**60)
    rng = np.random.default_rng(0)
    assert check.generator(rng) is rng


def test_sizes_that_do_not_fit_the_type_they_come_in():
    p = np.full(10**6, 1e-5)
    assert linear.sample_design(np.int32(100_000), p, seed=0).nnz == linear.sample_design(100_000, p, seed=0).nnz
    assert 995_000 < linear.sample_design(np.int32(100_000), p, seed=0).nnz < 1_005_000
    model = linear.LongTailModel(np.int32(100_000), np.int32(10**6), 5.0, np.float16(1.5), 0.1, np.float32(0.5))
    assert {type(value) for value in dataclasses.astuple(model)} == {int, float}
    assert (
        data_room.clipped_mass(2.0, np.uint8(3), 30)
        == data_room.clipped_mass(2.0, 3, 30)
        == pytest.approx(0.6638, abs=1e-3)
    )
    counts = sp.coo_array((np.full(2, 200, np.uint8), ([0, 0], [0, 0])), shape=(1, 1))
    assert linear.min_norm(counts, [400.0]) == 1.0


def test_class_numbers_do_not_wrap():
    y = np.full(1000, 255, np.uint8)
    flipped = mem.flip_labels(y, 1.0, 300, seed=0)
    assert flipped.max() > 255
    assert flipped.min() >= 0


@pytest.mark.parametrize(
    "y",
    [
        ["a", None, "b"],
        ["a", np.nan, "b"],
        [0, None, 1],
        [0.0, np.nan, 1.0],
        np.array(["a", np.nan, "b"], dtype=object),
        np.array(["2024-01-01", "NaT", "2024-01-02"], dtype="datetime64[D]"),
        pd.Series([0, pd.NA, 1], dtype="Int64"),
        pd.Series(["a", pd.NA, "b"], dtype="string"),
        pd.Series(["a", None, "b"], dtype="category"),
        np.ma.masked_equal([0, 9, 1], 9),
    ],
)
def test_a_missing_label_is_no_class(y):
    X, keep = np.eye(3), np.ones((2, 3), bool)
    for call in (
        lambda: mem.nearest_loo(X, y),
        lambda: mem.nearest_subset_scores(X, y, 1),
        lambda: mem.NearestNeighbour(X, y, X),
        lambda: mem.nearest_correct(mem.neighbour_order(X), y, keep),
    ):
        with pytest.raises(ValueError, match=r"^y must (hold|not be masked)"):
            call()
    with pytest.raises(ValueError, match="^y_query must"):
        mem.NearestNeighbour(X, [0, 1, 1], X).accuracy(y)


def test_labels_of_any_kind_that_are_whole_are_kept():
    for y in (["a", "b", "b"], pd.Series(["a", "b", "b"], dtype="category"), [10**30, 1, 1], [(10**30) + 1, 10**30, 1]):
        assert mem.nearest_loo(np.array([[0.0], [1.0], [1.5]]), y)[0] == 1.0


@pytest.mark.parametrize("kind", ["float32", "float64", "int8", "bool"])
def test_pictures_of_another_scale_are_refused(kind):
    net, good_triples = models.build("sum", width=2, seed=0), tasks.Triples(triples, np.array([3.0, 3.0]), triples)
    scaled = (bank / 255).astype(kind)
    task = tasks.digit_sums(**embedded)
    for call in (
        lambda: train.mse(net, scaled, good_triples),
        lambda: train.predict(net, scaled, triples),
        lambda: dataclasses.replace(task, bank=scaled),
        lambda: train.gather(torch.from_numpy(scaled), torch.from_numpy(triples)),
    ):
        with pytest.raises(TypeError, match=f"^bank must hold pictures as uint8, 0 to 255, got .*{kind}"):
            call()


def test_a_checkpoint_goes_on_whatever_the_numbers_came_in(tmp_path):
    task = tasks.digit_sums(**embedded)
    rates, file = np.logspace(-4, -2, 3), tmp_path / "model.pt"

    def trained(seed, checkpoint, **recipe):
        recipe = train.Recipe(**{"epochs": 1, "batch": 20, "lr": rates[1], **recipe})
        net = models.build(np.str_("sum"), width=np.uint8(2), seed=np.int64(0))
        return train.fit(net, task, recipe, seed=seed, checkpoint=checkpoint, device=torch.device("cpu"))

    whole = trained(np.int64(0), str(file), epochs=np.int64(1), batch=np.uint8(20))
    again = trained(0, file, lr=float(rates[1]))
    assert again.losses.tolist() == whole.losses.tolist()
    state = torch.load(file, weights_only=True)
    assert {type(value) for value in state["run"].values()} <= {int, float}


def test_devices_and_paths_are_normalized():
    assert check.device("cpu") == check.device(torch.device("cpu")) == torch.device("cpu")
    assert check.device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match="device must be auto, cpu, cuda or cuda:N, got 'cpu:x'"):
        check.device("cpu:x")
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda; got 'None'"):
        check.device(None)
    assert check.path("checkpoint", "~/x") == Path.home() / "x"
    with pytest.raises(TypeError, match="checkpoint must be a path, got 3 of type int"):
        check.path("checkpoint", 3)


def test_a_missing_value_in_a_frame_is_shown():
    frame = pd.DataFrame({"a": pd.array([1, pd.NA], dtype="Int64"), "b": [True, False]})
    with pytest.raises(ValueError, match=r"^X must (hold no missing value, got (<NA>|nan) at \[1, 0\]|be finite)"):
        linear.min_norm(frame, [1.0, 2.0])


def test_one_of_gives_its_own():
    assert type(check.one_of("kind", np.str_("a"), ("a", "b"))) is str
    assert type(check.one_of("sign", np.int64(-1), (1, -1))) is int


@pytest.mark.parametrize(("dtype", "step"), list(itertools.product(["<f8", ">f8", ">i4", ">u2"], [1, -1])))
def test_what_a_door_gives_torch_takes(dtype, step):
    value = np.arange(6).astype(dtype)[::step]
    np.testing.assert_array_equal(torch.from_numpy(check.array("x", value).copy()).numpy(), np.arange(6)[::step])
    assert check.array("x", value).strides[0] > 0
