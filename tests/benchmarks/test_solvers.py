"""How much faster the linear core is than the libraries a reader would reach for. Ratios within one run.

Peers get the columns that hold an entry, not the empty ones. Ratios are of CPU seconds (`make bench` allows
one thread), which a busy machine disturbs least; the table that pytest-benchmark prints is wall time.
"""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.sparse.linalg import lsmr

from companion.linear import LongTailModel, min_norm, min_norm_report, peel
from companion.linear.reduce import seen_columns

pytestmark = pytest.mark.benchmark


def drawn(n, d, alpha):
    model = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=0)
    seen, active = seen_columns(sample.X)
    return sample, seen, active


def seconds(call, repeats=1):
    """Least CPU seconds of some repeats, and the last result."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        times.append(time.process_time() - start)
    return min(times), result


def tight_lsmr(active, y):
    return lsmr(active, y, atol=1e-12, btol=1e-12, maxiter=100_000)[0]


def against(benchmark, sample, peer, repeats, rounds):
    """Ratio of the peer's time to ours, and both solutions; stored with the benchmark."""
    min_norm(sample.X, sample.y)
    ours = benchmark.pedantic(min_norm, args=(sample.X, sample.y), rounds=rounds)
    own, _ = seconds(lambda: min_norm(sample.X, sample.y), rounds)
    other, theirs = seconds(peer, repeats)
    benchmark.extra_info.update(peer_seconds=other, ratio=other / own)
    print(f"\n  ours {own:.4g} s, peer {other:.4g} s, ratio {other / own:.1f}")
    return other / own, ours, theirs


def test_dense_least_squares(benchmark):
    """n=1000, d=10000, alpha=2: at least 100 times faster than numpy.linalg.lstsq on the dense design."""
    sample, _, _ = drawn(1000, 10_000, 2.0)
    dense = sample.X.toarray()
    ratio, ours, theirs = against(
        benchmark, sample, lambda: np.linalg.lstsq(dense, sample.y, rcond=1e-10)[0], repeats=1, rounds=20
    )
    assert np.abs(ours - theirs).max() < 1e-8
    assert ratio >= 100


@pytest.mark.parametrize(
    ("n", "d", "alpha", "least", "repeats", "rounds"),
    [
        (1000, 10_000, 1.5, 1, 20, 20),
        (1000, 10_000, 2.0, 1, 20, 20),
        (100_000, 1_000_000, 1.5, 30, 1, 5),
        (100_000, 1_000_000, 1.1, 1, 1, 3),  # no cliff where the tail hangs together
        (100_000, 1_000_000, 1.0, 1, 1, 3),
        (1_000_000, 10_000_000, 2.0, 60, 1, 3),
    ],
)
def test_lsmr(benchmark, n, d, alpha, least, repeats, rounds):
    """Against scipy's lsmr at atol = btol = 1e-12, agreeing to 1e-6."""
    sample, seen, active = drawn(n, d, alpha)
    ratio, ours, theirs = against(benchmark, sample, lambda: tight_lsmr(active, sample.y), repeats, rounds)
    assert np.abs(ours[seen] - theirs).max() < 1e-6
    assert min_norm_report(sample.X, sample.y).gradient < 1e-12
    assert ratio >= least


@pytest.mark.parametrize(
    ("n", "d", "alpha", "least"),
    [
        (1000, 10_000, 1.5, 1 / 3),
        (1000, 10_000, 2.0, 1 / 3),
        (100_000, 1_000_000, 1.5, 15),
        (1_000_000, 10_000_000, 2.0, 25),
    ],
)
def test_sparse_qr(benchmark, n, d, alpha, least):
    """Against SuiteSparse's SPQR, which gives a basic solution: optional, through the package sparseqr."""
    sparseqr = pytest.importorskip("sparseqr", reason="sparseqr (SuiteSparse) is not installed")
    sample, _, active = drawn(n, d, alpha)
    coo = active.tocoo()
    ratio, _, _ = against(benchmark, sample, lambda: sparseqr.solve(coo, sample.y), repeats=3, rounds=5)
    assert ratio >= least


def test_growth_with_size(benchmark):
    """Solve time grows as the non-zeros: fitted exponent in n from 1e4 to 1e6 below 1.2 at alpha = 2."""
    sizes = np.array([10_000, 100_000, 1_000_000])
    times = []
    for n in sizes:
        sample, _, _ = drawn(int(n), int(10 * n), 2.0)
        times.append(seconds(lambda s=sample: min_norm(s.X, s.y), 5)[0])
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    benchmark.extra_info["exponent"] = exponent
    print(f"\n  seconds {np.round(times, 4)}, exponent {exponent:.2f}")
    benchmark.pedantic(lambda: None, rounds=1)
    assert exponent < 1.2


MEMORY = """
import json, resource, sys
from companion.linear import LongTailModel, min_norm_report
n, d, alpha = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
sample = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05).sample(seed=0)
report = min_norm_report(sample.X, sample.y)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"gigabytes": peak / 1e9, "gradient": report.gradient}))
"""


@pytest.mark.parametrize(("n", "d", "alpha", "most"), [(1_000_000, 10_000_000, 2.0, 3), (100_000, 1_000_000, 1.1, 8)])
def test_memory(benchmark, n, d, alpha, most):
    """Peak memory of a whole process that samples and solves."""
    command = [sys.executable, "-c", MEMORY, str(n), str(d), str(alpha)]
    found = json.loads(
        benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True, text=True).stdout, rounds=1)
    )
    benchmark.extra_info.update(found)
    print(f"\n  peak {found['gigabytes']:.2f} GB")
    assert found["gigabytes"] < most
    assert found["gradient"] < 1e-12


def test_peeling(benchmark):
    """n=1e5, d=1e6: peeling from nothing in a couple of seconds at most."""
    sample, _, _ = drawn(100_000, 1_000_000, 1.1)
    benchmark.pedantic(peel, args=(sample.X,), rounds=3)
    assert seconds(lambda: peel(sample.X), 3)[0] < 2


def test_import_time(benchmark):
    """`import companion.linear` costs at most 1.5 times numpy and scipy.sparse.linalg."""

    def cost(modules):
        command = [sys.executable, "-c", f"import {modules}"]
        times = []
        for _ in range(7):
            before = os.times()
            subprocess.run(command, check=True)
            after = os.times()
            times.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return min(times)

    ours = cost("companion.linear")
    theirs = cost("numpy, scipy.sparse.linalg")
    benchmark.extra_info.update(seconds=ours, ratio=ours / theirs)
    print(f"\n  ours {ours:.3f} s, numpy and scipy {theirs:.3f} s")
    benchmark.pedantic(lambda: None, rounds=1)
    assert ours <= 1.5 * theirs
