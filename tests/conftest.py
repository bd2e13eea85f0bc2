"""Hypothesis profiles: `default` (a few hundred designs), `extended` (HYPOTHESIS_PROFILE=extended, thousands).

Random designs are counted, over all xdist workers; the last lines of a run say how many there were.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.linear.designs import DRAWN

_quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=_quiet
)
settings.register_profile("extended", max_examples=1000, deadline=None, database=None, suppress_health_check=_quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["designs"] = [DRAWN["all"], sorted(DRAWN["distinct"])]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    count, distinct = getattr(node, "workeroutput", {}).get("designs", (0, ()))
    DRAWN["all"] += count
    DRAWN["distinct"].update(distinct)


def pytest_terminal_summary(terminalreporter):
    if DRAWN["all"]:
        terminalreporter.write_line(
            f"{DRAWN['all']:,} random designs drawn for the solvers, {len(DRAWN['distinct']):,} of them different"
        )
