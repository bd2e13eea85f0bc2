"""Every benchmark notes what it measured; at the end there is one table, and with --store it is kept for the book."""

import pytest

from book.reference import performance as benchmarks


def pytest_addoption(parser):
    parser.addoption("--store", action="store_true", help="keep the benchmarks' table where the book reads it")


NOTED = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[NOTED] = []


@pytest.fixture
def note(request):
    """note(area, what, ours, unit, ...): keep a measurement, then assert that it is what was asked."""

    def keep(area, what, ours, unit, *, against="", theirs=None, ratio=None, least=None, most=None, errors=None):
        asked = f"at least {least:g} times" if least is not None else f"at most {most:g} {unit}" if most else ""
        met = (least is None or ratio >= least) and (most is None or ours <= most)
        request.config.stash[NOTED].append(
            benchmarks.Measurement(
                area, what, against, float(ours), _plain(theirs), unit, _plain(ratio), asked, bool(met), errors
            )
        )
        assert met, f"{what} against {against or 'its budget'}: {ours:.4g} {unit}, ratio {ratio}; asked {asked}"

    return keep


def _plain(value):
    return None if value is None else float(value)


def pytest_terminal_summary(terminalreporter, config):
    noted = config.stash[NOTED]
    if noted:
        terminalreporter.section("measured")
        terminalreporter.write_line(benchmarks.text_table(noted))
        if config.getoption("--store"):
            terminalreporter.write_line(f"kept in {benchmarks.save(noted)}")
