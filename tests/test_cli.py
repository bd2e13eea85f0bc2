"""The command line: teaches, and refuses with one line and exit code 2."""

import pytest

from companion.registry import EXPERIMENTS
from tests.calling import call


def test_list_names_every_experiment(capsys):
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert all(name in out for name in EXPERIMENTS)


def test_help_teaches_presets_and_examples(capsys):
    code, out, _ = call(capsys, "run", "--help")
    assert code == 0
    assert "smoke" in out
    assert "companion run figure1 --preset paper" in out


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ([], "required: command"),
        (["fly"], "invalid choice: 'fly'"),
        (["run"], "required: EXPERIMENT"),
        (["run", "figure7"], "experiment must be one of figure1"),
        (["run", "figure1", "--preset", "huge"], "must be one of"),
        (["run", "figure1", "--device", "tpu"], "device must be one of auto, cpu, cuda; got 'tpu'"),
        (["run", "figure1", "--seeds", "0"], "seeds must be at least 1, got 0"),
        (["run", "figure1", "--seeds", "many"], "invalid int value: 'many'"),
        (["run", "figure1", "--jobs", "0"], "jobs must be at least 1"),
        (["run", "figure1", "--out", "/dev/null/here"], "/dev/null/here"),
        (["data", "burn"], "invalid choice: 'burn'"),
        (["data", "verify", "--root", "/nonexistent/place"], "/nonexistent/place"),
    ],
)
def test_bad_arguments_give_one_line_and_code_2(capsys, argv, told):
    code, out, err = call(capsys, *argv)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1, "one line, no traceback"
    assert out == ""


def test_run_stores_and_says_where(capsys, tmp_path):
    code, out, _ = call(capsys, "run", "figure1", "--seeds", "2", "--out", str(tmp_path))
    assert code == 0
    assert (tmp_path / "figure1-smoke.json").is_file()
    assert "figure1-smoke.json" in out
    assert "2 seeds" in out


def test_the_device_of_a_cluster_is_taken_at_its_word():
    """The machine where the command is typed need not have the workers' GPU."""
    from companion.__main__ import _device

    assert _device("cuda", elsewhere=True) == "cuda"
    assert _device("auto", elsewhere=True) == "cpu"
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda; got 'tpu'"):
        _device("tpu", elsewhere=True)
