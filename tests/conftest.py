"""Hypothesis profiles: `default` (a few hundred designs), `extended` (HYPOTHESIS_PROFILE=extended, thousands)."""

import os

from hypothesis import HealthCheck, settings

_quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
settings.register_profile(
    "default", max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=_quiet
)
settings.register_profile("extended", max_examples=1000, deadline=None, database=None, suppress_health_check=_quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
