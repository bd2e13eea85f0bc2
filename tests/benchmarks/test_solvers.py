"""How much faster the linear core is than the libraries a reader would reach for. Ratios within one run.

Peers get the columns that hold an entry, not the empty ones. Ratios are of CPU seconds (`make bench` allows one
thread).
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import lsmr, lsqr

from companion.linear import LongTailModel, min_norm, min_norm_report, peel
from companion.linear.reduce import seen_columns
from tests.benchmarks.clock import seconds

pytestmark = pytest.mark.benchmark


def drawn(n, d, alpha):
    model = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=0)
    seen, active = seen_columns(sample.X)
    return sample, seen, active


def size(n, d, alpha):
    return f"n = {n:,}, d = {d:,}, alpha = {alpha:g}"


def against(note, sample, what, name, peer, repeats, rounds, least):
    """Note our time beside the peer's; returns both solutions."""
    min_norm(sample.X, sample.y)
    own, ours = seconds(lambda: min_norm(sample.X, sample.y), rounds)
    other, theirs = seconds(peer, repeats)
    note("solver", what, own, "s", against=name, theirs=other, ratio=other / own, least=least)
    return ours, theirs


def numpy_lstsq(dense, y):
    return np.linalg.lstsq(dense, y, rcond=1e-10)[0]


def torch_lstsq(dense, y):
    torch = pytest.importorskip("torch")
    return torch.linalg.lstsq(torch.from_numpy(dense), torch.from_numpy(y), driver="gelsd", rcond=1e-10)[0].numpy()


def pseudo_inverse(dense, y):
    return np.linalg.pinv(dense, rcond=1e-10) @ y


def scikit_learn(dense, y):
    from sklearn.linear_model import LinearRegression

    return LinearRegression(fit_intercept=False, tol=1e-10).fit(dense, y).coef_


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("numpy.linalg.lstsq", numpy_lstsq),
        ("numpy.linalg.pinv", pseudo_inverse),
        ("torch.linalg.lstsq (gelsd)", torch_lstsq),
        ("sklearn LinearRegression", scikit_learn),
    ],
)
def test_dense_libraries(note, name, peer):
    """n=1000, d=10000, alpha=2: at least 100 times faster than any of them on the dense design."""
    sample, _, _ = drawn(1000, 10_000, 2.0)
    dense = sample.X.toarray()
    ours, theirs = against(
        note,
        sample,
        size(1000, 10_000, 2.0),
        name,
        lambda: peer(dense, sample.y),
        repeats=1,
        rounds=20,
        least=100,
    )
    assert np.abs(ours - theirs).max() < 1e-8


def tight_lsmr(active, y):
    return lsmr(active, y, atol=1e-12, btol=1e-12, maxiter=100_000)[0]


def tight_lsqr(active, y):
    return lsqr(active, y, atol=1e-12, btol=1e-12, iter_lim=100_000)[0]


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
def test_lsmr(note, n, d, alpha, least, repeats, rounds):
    """Against scipy's lsmr at atol = btol = 1e-12, agreeing to 1e-6."""
    sample, seen, active = drawn(n, d, alpha)
    ours, theirs = against(
        note,
        sample,
        size(n, d, alpha),
        "scipy lsmr",
        lambda: tight_lsmr(active, sample.y),
        repeats,
        rounds,
        least,
    )
    assert np.abs(ours[seen] - theirs).max() < 1e-6
    assert min_norm_report(sample.X, sample.y).gradient < 1e-12


@pytest.mark.parametrize(("n", "d", "alpha"), [(1000, 10_000, 2.0), (100_000, 1_000_000, 1.5)])
def test_lsqr(note, n, d, alpha):
    """Against scipy's lsqr at the same tolerance: slower than we are."""
    sample, seen, active = drawn(n, d, alpha)
    ours, theirs = against(
        note, sample, size(n, d, alpha), "scipy lsqr", lambda: tight_lsqr(active, sample.y), 1, 5, least=1
    )
    assert np.abs(ours[seen] - theirs).max() < 1e-6


@pytest.mark.parametrize(
    ("n", "d", "alpha", "least"),
    [
        (1000, 10_000, 1.5, 2 / 3),
        (1000, 10_000, 2.0, 2 / 3),
        (100_000, 1_000_000, 1.5, 15),
        (1_000_000, 10_000_000, 2.0, 25),
    ],
)
def test_sparse_qr(note, n, d, alpha, least):
    """Against SuiteSparse's SPQR, which gives a basic solution: optional, through the package sparseqr."""
    sparseqr = pytest.importorskip("sparseqr", reason="sparseqr (SuiteSparse) is not installed")
    sample, _, active = drawn(n, d, alpha)
    coo = active.tocoo()
    against(
        note,
        sample,
        size(n, d, alpha),
        "SuiteSparse SPQR",
        lambda: sparseqr.solve(coo, sample.y),
        3,
        5,
        round(least, 2),
    )


@pytest.mark.parametrize(("n", "alpha"), [(1000, 1.5), (1000, 2.0), (10_000, 1.5), (10_000, 2.0)])
def test_sparse_ldlt(note, n, alpha):
    """Against rslab's sparse LDL^T of the normal equations with a ridge of 1e-9, forming them included; to 1e-5.

    It refuses dependent columns, hence the ridge: optional, through the package rslab.
    """
    rslab = pytest.importorskip("rslab", reason="rslab is not installed")
    sample, seen, active = drawn(n, 10 * n, alpha)
    across = active.T.tocsr()
    ridge = 1e-9 * sp.eye_array(active.shape[1], format="csr")

    def peer():
        return rslab.ldlt((across @ active + ridge).tocsc(), threads=1).solve(across @ sample.y)

    ours, theirs = against(note, sample, size(n, 10 * n, alpha), "rslab LDL^T", peer, 20, 20, least=1)
    assert np.abs(ours[seen] - theirs).max() < 1e-5


def test_growth_with_size(note):
    """Solve time grows as the non-zeros: fitted exponent in n from 1e4 to 1e6 below 1.2 at alpha = 2."""
    sizes = np.array([10_000, 100_000, 1_000_000])
    times = []
    for n in sizes:
        sample, _, _ = drawn(int(n), int(10 * n), 2.0)
        times.append(seconds(lambda s=sample: min_norm(s.X, s.y), 5)[0])
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    note("solver", "growth from n = 10,000 to 1,000,000", exponent, "exponent", most=1.2)


MEMORY = """
import json, re, resource, sys
from pathlib import Path
from companion.linear import LongTailModel, min_norm_report
n, d, alpha = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
sample = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05).sample(seed=0)
report = min_norm_report(sample.X, sample.y)
if sys.platform == "darwin":
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
else:  # not ru_maxrss: it starts from the peak of the process that forked this one
    peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps({"gigabytes": peak / 1e9, "gradient": report.gradient}))
"""


@pytest.mark.parametrize(("n", "d", "alpha", "most"), [(1_000_000, 10_000_000, 2.0, 3), (100_000, 1_000_000, 1.1, 8)])
def test_memory(note, n, d, alpha, most):
    """Peak memory of a whole process that samples and solves."""
    command = [sys.executable, "-c", MEMORY, str(n), str(d), str(alpha)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    note("solver", f"peak memory, {size(n, d, alpha)}", found["gigabytes"], "GB", most=most)
    assert found["gradient"] < 1e-12


def test_peeling(note):
    """n=1e5, d=1e6: peeling from nothing in a couple of seconds at most."""
    sample, _, _ = drawn(100_000, 1_000_000, 1.1)
    note("solver", f"peeling, {size(100_000, 1_000_000, 1.1)}", seconds(lambda: peel(sample.X), 3)[0], "s", most=2)
