"""The diagonal of `A A^+`, exactly: eliminate (`companion.linear.structure` says why), split, decompose each part.

The parts are connected components. Small ones are decomposed in stacks of equal shape; large ones by Cholesky of the
smaller Gram matrix if its condition allows. What is left in doubt, because of the scale of rows or entries or not, is
decided by `companion.linear.graded`.
"""

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from scipy.sparse.csgraph import connected_components

from companion.linear.graded import CUT_OFF, graded_hat
from companion.linear.least_squares import cholesky, gram_matrix
from companion.linear.reduce import distinct, meeting, peel_items, rows_of_entries, take, unit_columns

SAFE = 1e-5  # reciprocal condition of a Gram matrix above which its inverse is good to 1e-10
WEAK = 1e-3  # an entry below this share of its column's largest can make small singular values that are none
STACKED = 4096  # entries of a block up to which it is decomposed in a stack


def hat_diagonal(A: sp.csr_array) -> np.ndarray:
    """Diagonal of the projection onto the column space of A, shape (rows,), in [0, 1]."""
    rounds = peel_items(A).rounds
    h = (rounds > 0).astype(np.float64)
    kept = np.flatnonzero(rounds < 0)
    rest = take(A, kept)
    for rows, columns, stack in component_blocks(rest):
        if stack is None:
            h[kept[rows]] = _large_block(meeting(rest, columns))
        else:
            h[kept[rows]] = _stacked_blocks(stack)
    return np.clip(h, 0.0, 1.0)


def component_blocks(A: sp.csr_array) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """The components of A that hold an entry: (rows (g, r), columns (g, c), values (g, r, c)), g of one shape.

    A block of more than STACKED cells comes alone, as (rows (r,), columns (c,), None).
    """
    n, m = A.shape
    # rows n.. of the graph are the columns of A: one triangle of the bipartite adjacency is enough
    indptr = np.concatenate([A.indptr, np.full(m, A.indptr[-1], dtype=A.indptr.dtype)])
    graph = sp.csr_array((np.ones(A.nnz), A.indices + n, indptr), shape=(n + m, n + m))
    count, label = connected_components(graph, directed=False)
    row_label, column_label = label[:n], label[n:]
    row_order, row_start, row_size, row_place = _by_label(row_label, count)
    column_order, column_start, column_size, column_place = _by_label(column_label, count)
    cells = row_size * column_size
    for c in np.flatnonzero(cells > STACKED).tolist():
        yield (
            row_order[row_start[c] : row_start[c] + row_size[c]],
            column_order[column_start[c] : column_start[c] + column_size[c]],
            None,
        )
    small = np.flatnonzero((cells > 0) & (cells <= STACKED))
    if small.size == 0:
        return
    shape = row_size * (STACKED + 1) + column_size
    # entries and components of one shape, side by side
    row_of = rows_of_entries(A)
    entry_shape = shape[row_label[row_of]]
    entry_order = np.argsort(entry_shape, kind="stable")
    ordered_shapes = entry_shape[entry_order]
    place = np.zeros(count, dtype=np.int64)
    for one in distinct(shape[small]).tolist():
        group = small[shape[small] == one]
        r, c = divmod(one, STACKED + 1)
        place[group] = np.arange(group.size)
        lo, hi = np.searchsorted(ordered_shapes, [one, one + 1])
        where = entry_order[lo:hi]
        stack = np.zeros((group.size, r, c))
        row, column = row_of[where], A.indices[where]
        stack[place[row_label[row]], row_place[row], column_place[column]] = A.data[where]
        rows = row_order[row_start[group][:, None] + np.arange(r)]
        columns = column_order[column_start[group][:, None] + np.arange(c)]
        yield rows, columns, stack


def _by_label(label: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Items sorted by label, where in that each label begins and how many it has, and each item's place among them."""
    order, size = np.argsort(label, kind="stable"), np.bincount(label, minlength=count)
    start, place = np.cumsum(size) - size, np.empty_like(order)
    place[order] = np.arange(order.size) - start[label[order]]
    return order, start, size, place


def _stacked_blocks(stack: np.ndarray) -> np.ndarray:
    """Hat diagonals of blocks (g, r, c), shape (g, r); columns are scaled to unit length first."""
    top = stack / np.abs(stack).max(axis=1, keepdims=True)
    u, s, _ = np.linalg.svd(top / np.sqrt((top**2).sum(axis=1, keepdims=True)), full_matrices=False)
    h = ((u * (s > CUT_OFF * s[:, :1])[:, None, :]) ** 2).sum(axis=2)
    weak = ((top != 0) & (np.abs(top) < WEAK)).any(axis=(1, 2))
    for doubtful in np.flatnonzero(weak & (s[:, -1] < SAFE * s[:, 0])):
        h[doubtful] = graded_hat(stack[doubtful])
    return h


def _large_block(block: sp.csr_array) -> np.ndarray:
    rows, columns = block.shape
    B, _ = unit_columns(block)
    factor = cholesky(gram_matrix(B)[0], SAFE)
    if factor is None:
        return graded_hat(B.toarray())
    if rows <= columns:  # the rows are independent: each is fitted exactly
        return np.ones(rows)
    inverse, _ = lapack.dpotri(factor)
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    step = max(1, (1 << 25) // columns)
    pieces = [B[lo : lo + step] for lo in range(0, rows, step)]
    return np.concatenate([np.asarray(piece.multiply(piece @ inverse).sum(axis=1)).ravel() for piece in pieces])
