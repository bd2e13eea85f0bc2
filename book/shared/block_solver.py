"""The structure lemma as an algorithm: minimum norm by a small dense core and many small blocks.

A readable twin of `companion.linear.min_norm`, which eliminates instead and has no cliff. Columns are split
into a core C and a sparse tail T. The rows and tail columns fall into small components, so the
pseudo-inverse of T is block-diagonal; what is left is a least-squares problem for the core, and one small
solve that shares credit when the core is not pinned. Exact for noisy labels and any rank:
:prf:ref:`thm-block-solver`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate as check
from companion._validate import split
from companion.linear.structure import components, feature_counts

__all__ = ["BlockSolution", "block_min_norm", "branching", "component_bound", "expected_branching"]

CUT_OFF = 1e-10  # singular values below this share of the largest count as zero


@dataclass(frozen=True)
class BlockSolution:
    """The minimum-norm solution `beta` (d,) and the sizes behind its cost.

    `core`: core columns; `tail`: seen tail columns; `blocks`: components of the tail; `largest`: rows plus
    columns of the largest; `free`: dimension of the null space that the core was not pinned in (0: no repair
    needed).
    """

    beta: np.ndarray
    core: int
    tail: int
    blocks: int
    largest: int
    free: int


def block_min_norm(X: Any, y: Any, *, core: Any, repair: bool = True) -> BlockSolution:
    """Minimum-norm least squares by blocks.

    Parameters
    ----------
    X: (n, d), dense or sparse. y: (n,) labels, noisy or not.
    core: which columns are the core, bool (d,). Any choice is exact; a good one leaves small blocks.
    repair: False leaves out the last step, which is wrong when the core is not pinned; it is there to show
    that.

    Source: ours, :prf:ref:`thm-block-solver`.
    """
    A = sp.csr_array(check.design("X", X))
    y = check.vector("y", y, A.shape[0])
    core = check.mask("core", core, A.shape[1])
    counts = feature_counts(A)
    inner, outer = np.flatnonzero(core & (counts > 0)), np.flatnonzero(~core & (counts > 0))
    C, T = sp.csr_array(A[:, inner]), sp.csr_array(A[:, outer])
    pieces = components(T) if outer.size else []
    T_plus = _block_inverse(T, pieces)

    # b is any best core: the core's least squares after what the tail can absorb is taken out.
    M = (C - T @ (T_plus @ C)).toarray()
    left, sizes, right = np.linalg.svd(M, full_matrices=M.shape[0] < M.shape[1])  # all of the null space
    # Against the size of C, not of M: the tail may have absorbed the whole core, and M be rounding error.
    scale = float(np.sqrt(C.power(2).sum(axis=0).max(initial=0))) if C.nnz else 0.0
    rank = int((sizes > CUT_OFF * scale).sum())
    b = right[:rank].T @ ((left[:, :rank].T @ y) / sizes[:rank])
    t = T_plus @ (y - C @ b)

    # Free directions of the core move the tail along; the least norm of both is one small positive system.
    Z = right[rank:].T
    if repair and Z.shape[1]:
        G = T_plus @ (C @ Z)
        a = np.linalg.solve(np.eye(Z.shape[1]) + G.T @ G, G.T @ t)
        b, t = b + Z @ a, t - G @ a
    beta = np.zeros(A.shape[1])
    beta[inner], beta[outer] = b, t
    largest = max((len(rows) + len(columns) for rows, columns in pieces), default=0)
    return BlockSolution(beta, len(inner), len(outer), len(pieces), largest, Z.shape[1])


def _block_inverse(T: sp.csr_array, pieces: list[tuple[np.ndarray, np.ndarray]]) -> sp.csr_array:
    """Pseudo-inverse of a block-diagonal matrix (up to order), one dense block at a time."""
    data, rows, columns = [np.zeros(0)], [np.zeros(0, int)], [np.zeros(0, int)]
    for r, c in pieces:
        inverse = np.linalg.pinv(T[r][:, c].toarray(), rcond=CUT_OFF)
        data.append(inverse.ravel())
        rows.append(np.repeat(c, len(r)))
        columns.append(np.tile(r, len(c)))
    entries = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csr_array(sp.coo_array(entries, shape=(T.shape[1], T.shape[0])))


def branching(X: Any, core: Any) -> float:
    """Rows one step away from a row through the tail, on average: ``(1/n) sum_{tail} n_j (n_j - 1)``."""
    A = check.design("X", X)
    counts = feature_counts(A).astype(float)[~check.mask("core", core, A.shape[1])]
    return float(counts @ (counts - 1) / A.shape[0])


def expected_branching(p: Any, n: int, k: int) -> float:
    """``n sum_{i>k} p_i^2``, the bound on the expected branching of a tail that starts after feature k."""
    p, k = split(p, k)
    n = check.integer("n", n, low=0)
    return float(n * (p[k:] ** 2).sum())


def component_bound(p: Any, n: int, k: int) -> float:
    """Bound on the expected number of rows in a row's block, ``1 / (1 - n sum_{i>k} p_i^2)``; inf from 1 on.

    Source: ours, :prf:ref:`prop-blocks`.
    """
    nu = expected_branching(p, n, k)
    return 1 / (1 - nu) if nu < 1 else float("inf")
