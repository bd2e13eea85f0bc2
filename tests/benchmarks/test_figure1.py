"""Figure 1 at the paper's size, whole, against the pseudo-inverses of its designs alone."""

import numpy as np
import pytest

from companion.experiments.figure1 import EXPERIMENT, long_tail_model
from companion.runner.experiment import Resources
from tests.benchmarks.clock import seconds

pytestmark = pytest.mark.benchmark


def test_figure1_against_the_pseudo_inverse(note):
    """All cells of one seed, measures and all, at least 20 times faster than numpy's pinv of the same designs."""
    settings = EXPERIMENT.presets["paper"]
    cells = EXPERIMENT.cells(settings)
    designs = [long_tail_model(settings, cell["alpha"]).sample(seed=0).X.toarray() for cell in cells]
    own, _ = seconds(lambda: [EXPERIMENT.run(settings, cell, 0, Resources()) for cell in cells], 3)
    other, _ = seconds(lambda: [np.linalg.pinv(design, rcond=1e-10) for design in designs])
    note(
        "Figure 1",
        f"one seed of the paper preset, {len(cells)} designs",
        own,
        "s",
        against="numpy.linalg.pinv of the designs",
        theirs=other,
        ratio=other / own,
        least=20,
    )
