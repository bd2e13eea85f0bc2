"""How much faster the linear core is than the libraries a reader would reach for. Ratios within one run.

Peers get the columns that hold an entry, not the empty ones; the dense ones get all. Ratios are of CPU seconds (`make
bench` allows one thread). Beside each stands how nearly ours and the peer's solve the problem.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import lsmr, lsqr

from companion.linear import LongTailModel, min_norm, peel
from companion.linear.reduce import seen_columns
from tests.benchmarks.clock import by_turns, seconds

pytestmark = pytest.mark.benchmark


def drawn(n, d, alpha):
    model = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=0)
    seen, active = seen_columns(sample.X)
    return sample, seen, active


def size(n, d, alpha):
    return f"n = {n:,}, d = {d:,}, alpha = {alpha:g}"


def optimality(sample, b):
    """`max_i |x_i^T r| / (||x_i|| ||y||)`, r = y - X b, over the columns that hold an entry."""
    gap, length = np.abs(sample.X.T @ (sample.y - sample.X @ b)), np.sqrt(sample.X.power(2).sum(axis=0))
    return float((gap[length > 0] / length[length > 0]).max() / np.linalg.norm(sample.y))


def against(note, sample, what, name, peer, least, seen=None, turns=1, calls=1):
    """Note our time beside the peer's, whose solution is in the columns `seen`; returns how far apart they are.

    A short call takes turns with ours. One of seconds is made once, beside the least of five of ours.
    """
    other, found = seconds(peer, calls)
    own, ours = seconds(lambda: min_norm(sample.X, sample.y), 5)
    if turns > 1:
        own, other = by_turns(lambda: min_norm(sample.X, sample.y), peer, turns, calls)
    theirs = np.zeros(sample.X.shape[1])
    theirs[slice(None) if seen is None else seen] = np.ravel(found)
    apart = float(np.abs(ours - theirs).max() / np.abs(ours).max())
    errors = [optimality(sample, ours), optimality(sample, theirs), apart]
    assert errors[0] < 1e-12
    note("solver", what, own, "s", against=name, theirs=other, ratio=other / own, least=least, errors=errors)
    return apart


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
    what = size(1000, 10_000, 2.0)
    assert against(note, sample, what, name, lambda: peer(dense, sample.y), least=100) < 1e-8


def tight_lsmr(active, y):
    return lsmr(active, y, atol=1e-12, btol=1e-12, maxiter=100_000)[0]


def tight_lsqr(active, y):
    return lsqr(active, y, atol=1e-12, btol=1e-12, iter_lim=100_000)[0]


TURNS = {"turns": 21, "calls": 5}  # of what takes milliseconds
ONCE = {"turns": 1, "calls": 1}


@pytest.mark.parametrize(
    ("n", "alpha", "least", "how"),
    [
        (300, 1.5, 1, TURNS),
        (300, 2.0, 1, TURNS),
        (1000, 1.5, 1, TURNS),
        (1000, 2.0, 1, TURNS),
        (100_000, 1.5, 30, ONCE),
        (100_000, 1.1, 1, ONCE),  # no cliff where the tail hangs together
        (100_000, 1.0, 1, ONCE),
        (1_000_000, 2.0, 60, ONCE),
    ],
)
def test_lsmr(note, n, alpha, least, how):
    """Against scipy's lsmr at atol = btol = 1e-12, agreeing to 1e-6."""
    sample, seen, active = drawn(n, 10 * n, alpha)
    what = size(n, 10 * n, alpha)
    assert against(note, sample, what, "scipy lsmr", lambda: tight_lsmr(active, sample.y), least, seen, **how) < 1e-6


@pytest.mark.parametrize(("n", "alpha", "how"), [(1000, 2.0, TURNS), (100_000, 1.5, ONCE)])
def test_lsqr(note, n, alpha, how):
    """Against scipy's lsqr at the same tolerance: slower than we are."""
    sample, seen, active = drawn(n, 10 * n, alpha)
    what = size(n, 10 * n, alpha)
    assert against(note, sample, what, "scipy lsqr", lambda: tight_lsqr(active, sample.y), 1, seen, **how) < 1e-6


SMALL = [(n, alpha, TURNS) for n in (300, 1000, 10_000) for alpha in (1.5, 2.0)]


@pytest.mark.parametrize(
    ("n", "alpha", "how", "name"),
    [
        *((*case, "SuiteSparse SPQR") for case in [*SMALL, (100_000, 1.5, ONCE), (1_000_000, 2.0, ONCE)]),
        *((*case, "SuiteSparse SPQR, twice") for case in SMALL),
    ],
)
def test_sparse_qr(note, n, alpha, how, name):
    """Against SuiteSparse's SPQR: optional, through the package sparseqr.

    It gives a basic solution b. That of least norm takes a second factorization: X^T w, with w a least-squares
    solution of X^T w = b.
    """
    sparseqr = pytest.importorskip("sparseqr", reason="sparseqr (SuiteSparse) is not installed")
    sample, seen, active = drawn(n, 10 * n, alpha)
    matrix, across = active.tocoo(), active.T.tocoo()

    def peer():
        basic = sparseqr.solve(matrix, sample.y)
        return across @ sparseqr.solve(across, basic) if name.endswith("twice") else basic

    least = {100_000: 15, 1_000_000: 25}.get(n, 1)
    apart = against(note, sample, size(n, 10 * n, alpha), name, peer, least, seen, **how)
    assert apart < 1e-9 or not name.endswith("twice")


@pytest.mark.parametrize(("n", "alpha", "how"), SMALL)
@pytest.mark.parametrize(("ridge", "steps", "name"), [(1e-9, 0, "rslab LDL^T"), (1e-6, 1, "rslab LDL^T, refined")])
def test_sparse_ldlt(note, n, alpha, how, ridge, steps, name):
    """Against rslab's sparse LDL^T of the normal equations with a ridge, forming them included: optional.

    It refuses dependent columns, hence the ridge. The smaller one leaves rounding in the null space, which no step of
    refinement removes; with the larger one, one step on the equations without the ridge comes closer than 1e-9.
    """
    rslab = pytest.importorskip("rslab", reason="rslab is not installed")
    sample, seen, active = drawn(n, 10 * n, alpha)
    across = active.T.tocsr()
    added = ridge * sp.eye_array(active.shape[1], format="csr")

    def peer():
        factor = rslab.ldlt((across @ active + added).tocsc(), threads=1)
        x = factor.solve(across @ sample.y)
        for _ in range(steps):
            x = x + factor.solve(across @ (sample.y - active @ x))
        return x

    apart = against(note, sample, size(n, 10 * n, alpha), name, peer, 1, seen, **how)
    assert apart < (1e-9 if steps else 1e-5)


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
