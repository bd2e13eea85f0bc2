"""Peeling a hypergraph: the combinatorial engine behind the solver and the certificates.

*Items* meet *checks*; a check left with exactly one item releases it, and the item leaves all its checks.
With features as items and rows as checks this is peeling: a released feature is resolved. With rows as items
and columns as checks it is column-singleton elimination: a released row is fitted exactly.
"""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp

from companion._validate import of_parts

VECTOR_ROUNDS = 64  # after so many rounds the rest is a few long chains: a queue beats arrays
FEW = 6


@dataclass(frozen=True)
class Peeling:
    """What was released, and how.

    `rounds` (items,): 0 for known items, 1, 2, ... when released, -1 never. `check` (items,): the check that
    released the item, the one with the largest entry if several did, else -1. `pivot` (items,): that entry. `left`
    (checks,): the items that each check still holds.
    """

    rounds: np.ndarray
    check: np.ndarray
    pivot: np.ndarray
    left: np.ndarray

    def in_order(self) -> tuple[np.ndarray, list[int]]:
        """Items released, in the order of their rounds, and where in it each round begins (the last entry: ends)."""
        released = (self.rounds > 0).nonzero()[0]
        turn = self.rounds[released]
        return released[turn.argsort(kind="stable")], np.bincount(turn, minlength=1).cumsum().tolist()

    def by_round(self) -> list[np.ndarray]:
        """Items released in round 1, 2, ..."""
        order, cuts = self.in_order()
        return [order[a:b] for a, b in pairwise(cuts)]


def csr(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, int]) -> sp.csr_array:
    """A CSR array of parts that are known to fit."""
    return of_parts(sp.csr_array, data, indices, indptr, shape)


def flipped(A: sp.csr_array) -> sp.csc_array:
    """The transpose of A, sharing its arrays."""
    return of_parts(sp.csc_array, A.data, A.indices, A.indptr, A.shape[::-1])


def transposed(A: sp.csr_array) -> sp.csr_array:
    """The transpose of A, by rows."""
    if A.nnz > 1000:
        return flipped(A).tocsr()
    order = A.indices.argsort(kind="stable")
    row = rows_of_entries(A).astype(A.indices.dtype)
    indptr = np.zeros(A.shape[1] + 1, dtype=A.indptr.dtype)
    np.bincount(A.indices, minlength=A.shape[1]).cumsum(out=indptr[1:])
    return csr(A.data[order], row[order], indptr, A.shape[::-1])


def peel_items(A: sp.csr_array, known: np.ndarray | None = None, weak: np.ndarray | None = None) -> Peeling:
    """Peel the rows of A (items) by its columns (checks); `known` items leave first. Cost: nnz, once.

    `weak`: entries that may not be pivots, as `item * checks + check`.
    """
    items, checks = A.shape
    rounds = np.full(items, -1)
    check = np.full(items, -1)
    pivot = np.zeros(items)
    left = np.bincount(A.indices, minlength=checks)
    # the sum of the numbers of a check's remaining items: with one left, its number (exact below 2^53)
    if A.nnz > 5000:
        last = flipped(csr(np.ones(A.nnz), A.indices, A.indptr, A.shape)) @ np.arange(items, dtype=np.float64)
    else:  # a call of scipy's product takes longer than these two
        last = np.bincount(A.indices, weights=rows_of_entries(A), minlength=checks)
    open_ = np.zeros(checks, dtype=bool)  # checks with one item left
    if known is not None:
        rounds[known] = 0
        where, item = entries(A, known)
        _leave(A.indices[where], known[item], left, last)
    ready = (left == 1).nonzero()[0]
    step = 0
    while step < VECTOR_ROUNDS and (step == 0 or ready.size > FEW):
        if weak is not None:
            place = last[ready].astype(np.int64) * checks + ready
            ready = ready[weak.take(weak.searchsorted(place), mode="clip") != place]
        if not ready.size:
            break
        step += 1
        owner = last[ready].astype(np.int64)
        found = distinct(owner)
        rounds[found] = step
        where, item = entries(A, found)
        touched = A.indices[where]
        if found.size == ready.size:
            check[owner] = ready
        else:  # several checks release an item
            open_[ready] = True
            releasing = open_[touched].nonzero()[0]
            check[found] = touched[releasing[_largest(np.abs(A.data[where[releasing]]), item[releasing])]]
            open_[ready] = False
        ready = _leave(touched, found[item], left, last)
    found = (rounds > 0).nonzero()[0]
    where, item = entries(A, found)
    pivot[found] = A.data[where[A.indices[where] == check[found[item]]]]
    if ready.size:
        _queue(A, ready, step, rounds, check, pivot, left, last, weak)
    return Peeling(rounds, check, pivot, left)


def _leave(touched: np.ndarray, item: np.ndarray, left: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Take items out of the checks they meet; the checks that then have one item left, some of them repeated."""
    np.subtract.at(left, touched, 1)
    np.subtract.at(last, touched, item.astype(np.float64))
    return touched[left[touched] == 1]


def distinct(values: np.ndarray) -> np.ndarray:
    """Sorted distinct values (by sorting: several times faster here than `np.unique`, which hashes)."""
    ordered = np.sort(values)
    return ordered[_first(ordered)]


def _first(ordered: np.ndarray) -> np.ndarray:
    """Where a run of equal values begins in a sorted array."""
    new = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    return new


def _largest(size: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Position of the largest `size` in each run of equal values of `group` (sorted)."""
    return np.lexsort((-size, group))[_first(group)]


def _queue(
    A: sp.csr_array,
    ready: np.ndarray,
    step: int,
    rounds: np.ndarray,
    check: np.ndarray,
    pivot: np.ndarray,
    left: Any,
    last: Any,
    weak: np.ndarray | None,
) -> None:
    """The same peeling, one check at a time, for what is left when few are ready, or after VECTOR_ROUNDS rounds."""
    indptr, indices, data = memoryview(A.indptr), memoryview(A.indices), memoryview(A.data)
    count, number = memoryview(left), memoryview(last)
    barred = set() if weak is None else set(weak.tolist())
    waiting = deque((c, step + 1) for c in ready.tolist())
    # The round in which a check can release: one that an item of this very round has just left must wait, or that
    # item's row would need the pivot that substitution has not reached yet.
    since = dict.fromkeys(ready.tolist(), step + 1)
    while waiting:
        c, step = waiting.popleft()
        if count[c] != 1:
            continue
        i = int(number[c])
        if barred and i * A.shape[1] + c in barred:
            continue
        rounds[i] = step
        for e in range(indptr[i], indptr[i + 1]):
            other = indices[e]
            if count[other] == 1 and since.get(other, step + 1) <= step and abs(data[e]) > abs(pivot[i]):
                check[i], pivot[i] = other, data[e]
            count[other] -= 1
            number[other] -= i
            if count[other] == 1:
                since[other] = step + 1
                waiting.append((other, step + 1))


def weak_entries(A: sp.csr_array, share: float) -> np.ndarray | None:
    """Entries below `share` of the largest of their row, as `row * columns + column`; None if there are none."""
    size = np.abs(A.data)
    if size.size == 0 or size.min() >= share * size.max():
        return None
    row = rows_of_entries(A)
    top = np.zeros(A.shape[0])
    np.maximum.at(top, row, size)
    weak = np.flatnonzero(size < share * top[row])
    return row[weak] * A.shape[1] + A.indices[weak] if weak.size else None


def back_substitute(A: sp.csr_array, peeling: Peeling, y: np.ndarray, b: Any) -> None:
    """Fit each eliminated row of A exactly through its pivot column: fills b in place.

    `peeling` is `peel_items(A)`; b holds the coefficients of the columns that are no pivots. Later rounds
    come first: a row's other columns were still shared when its pivot was not. y (n,) and b (m,), or y (n, k) and
    b (m, k) for several at once.
    """
    order, cuts = peeling.in_order()
    where, _ = entries(A, order)
    indices, data, y = A.indices[where], A.data[where], y[order]
    column, pivot = peeling.check[order], peeling.pivot[order]
    indptr = np.zeros(order.size + 1, dtype=A.indptr.dtype)
    (A.indptr[order + 1] - A.indptr[order]).cumsum(out=indptr[1:])
    pivot = pivot if b.ndim == 1 else pivot[:, None]
    for first, last in reversed(list(pairwise(cuts))):
        if last - first > FEW:
            start, end = indptr[first], indptr[last]
            shape = (last - first, A.shape[1])
            part = csr(data[start:end], indices[start:end], indptr[first : last + 1] - start, shape)
            b[column[first:last]] = (y[first:last] - part @ b) / pivot[first:last]
            continue
        for r in range(first, last):
            e = slice(indptr[r], indptr[r + 1])
            b[column[r]] = (y[r] - data[e] @ b[indices[e]]) / pivot[r]


def entries(A: sp.csr_array, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions in A.data of the entries of some rows, and the place in `rows` that each belongs to."""
    start = A.indptr[rows].astype(np.int64)
    size = A.indptr[rows + 1] - start
    end = size.cumsum()
    item = np.arange(rows.size).repeat(size)
    return np.arange(item.size) + (start - end + size)[item], item


def rows_of_entries(A: sp.csr_array) -> np.ndarray:
    """The row of each stored entry of A."""
    return np.arange(A.shape[0]).repeat(A.indptr[1:] - A.indptr[:-1])


def seen_columns(A: sp.csr_array) -> tuple[np.ndarray, sp.csr_array]:
    """The columns that hold an entry, and A restricted to them (sharing A's values)."""
    n, d = A.shape
    mask = np.zeros(d, dtype=bool)
    mask[A.indices] = True
    seen = np.flatnonzero(mask)
    if seen.size == d:
        return seen, A
    position = np.zeros(d, dtype=A.indices.dtype)
    position[seen] = np.arange(seen.size)
    return seen, csr(A.data, position[A.indices], A.indptr, (n, seen.size))


def without(A: sp.csr_array, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, sp.csr_array]:
    """A without some rows, which hold all its entries outside of `columns`: the rows kept, and what is left of A.

    Where they are few, they are kept as rows of zeros: that is cheaper than to copy all the others.
    """
    position = np.zeros(A.shape[1], dtype=A.indices.dtype)
    position[columns] = np.arange(columns.size)
    kept = np.ones(A.shape[0], dtype=bool)
    if 10 * rows.size < A.shape[0] > 2 * columns.size > 0:
        data = A.data.copy()
        data[entries(A, rows)[0]] = 0.0
        part = csr(data, A.indices, A.indptr, A.shape)
    else:
        kept[rows] = False
        part = take(A, kept.nonzero()[0])
    return kept, csr(part.data, position[part.indices], part.indptr, (part.shape[0], columns.size))


def unpeeled(A: sp.csr_array, known: np.ndarray) -> np.ndarray:
    """Columns of A (all with an entry) that peeling from the known ones leaves, in increasing order.

    The closure does not depend on the order, so a tall design is peeled by some of its rows first; after
    that only the rows that still hold an unresolved column matter.
    """
    m = A.shape[1]
    unknown = np.ones(m, dtype=bool)
    unknown[known] = False
    left = unknown.nonzero()[0]
    part = A if left.size == m else meeting(A, left)
    some = m + 4096
    if part.shape[0] > 3 * some:
        left = left[peel_items(transposed(part[:some])).rounds < 0]
        part = meeting(A, left)
    return left[peel_items(transposed(part)).rounds < 0]


def tamed(A: sp.csr_array) -> tuple[sp.csr_array, float]:
    """A divided by its largest entry if squares could overflow or vanish, and that entry (else 1)."""
    largest = float(np.abs(A.data).max(initial=0))
    if largest == 0 or 1e-60 < largest < 1e60:
        return A, 1.0
    return csr(A.data / largest, A.indices, A.indptr, A.shape), largest


def unit_columns(A: sp.csr_array) -> tuple[sp.csr_array, np.ndarray]:
    """A with its columns scaled to unit length, and the lengths (1 for a column of zeros)."""
    length = np.sqrt(np.bincount(A.indices, weights=A.data**2, minlength=A.shape[1]))
    small = length < 1e-120
    if small.any():  # squares may have vanished: measure those columns in units of their largest entry
        top = np.zeros(A.shape[1])
        np.maximum.at(top, A.indices, np.abs(A.data))
        top[top == 0] = 1.0
        ratio = A.data / top[A.indices]
        length = top * np.sqrt(np.bincount(A.indices, weights=ratio**2, minlength=A.shape[1]))
        length[length == 0] = 1.0
    return csr(A.data / length[A.indices], A.indices, A.indptr, A.shape), length


def meeting(A: sp.csr_array, columns: np.ndarray) -> sp.csr_array:
    """A restricted to some columns (increasing), without the rows that hold no entry there."""
    mask = np.zeros(A.shape[1], dtype=bool)
    mask[columns] = True
    where = mask[A.indices].nonzero()[0]
    position = np.zeros(A.shape[1], dtype=A.indices.dtype)
    position[columns] = np.arange(columns.size)
    row = A.indptr.searchsorted(where, side="right")
    starts = _first(row).nonzero()[0]
    indptr = np.full(starts.size + 1, where.size, dtype=A.indptr.dtype)
    indptr[:-1] = starts
    return csr(A.data[where], position[A.indices[where]], indptr, (starts.size, columns.size))


def take(A: sp.csr_array, rows: np.ndarray) -> sp.csr_array:
    """A restricted to some rows (increasing)."""
    size = A.indptr[1:] - A.indptr[:-1]
    indptr = np.zeros(rows.size + 1, dtype=A.indptr.dtype)
    size[rows].cumsum(out=indptr[1:])
    kept = np.zeros(A.shape[0], dtype=bool)
    kept[rows] = True
    kept = kept.repeat(size)
    return csr(A.data[kept], A.indices[kept], indptr, (rows.size, A.shape[1]))
