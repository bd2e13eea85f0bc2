"""Validation: one error that names argument, value and expectation; the caller's data stay as they are."""

import numpy as np
import pytest
import scipy.sparse as sp

from companion import _validate as check


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: check.positive_int("n", 0), ValueError, "n must be at least 1, got 0"),
        (lambda: check.positive_int("n", 2.0), TypeError, "n must be a whole number, got 2.0 of type float"),
        (lambda: check.positive_int("n", True), TypeError, "n must be a whole number, got True"),
        (lambda: check.integer("k", 7, low=0, high=5), ValueError, r"k must be in \[0, 5\], got 7"),
        (lambda: check.positive("alpha", 0), ValueError, "alpha must be finite and greater than 0, got 0"),
        (lambda: check.positive("alpha", float("nan")), ValueError, "alpha must be finite .*, got nan"),
        (lambda: check.nonnegative("sigma", -0.1), ValueError, "sigma must be finite and at least 0, got -0.1"),
        (lambda: check.nonnegative("sigma", "0.1"), TypeError, "sigma must be a number, got '0.1' of type str"),
        (lambda: check.one_of("kind", "x", ["a", "b"]), ValueError, "kind must be one of a, b; got 'x'"),
        (
            lambda: check.one_of("kind", np.array([["a"], ["b"]]), ["a", "b"]),
            ValueError,
            r"kind must be one of a, b; got array\(\[\['a'\], \['b'\]\], dtype='<U1'\)$",
        ),
        (
            lambda: check.positive_int("n", np.ones((2, 2))),
            TypeError,
            r"n must be a whole number, got array\(\[\[1., 1.\], \[1., 1.\]\]\) of type ndarray$",
        ),
        (lambda: check.vector("y", [[1.0]]), ValueError, r"y must be a vector.*got shape \(1, 1\)"),
        (lambda: check.vector("y", [1.0, 2.0], 3), ValueError, "y must have length 3, got 2"),
        (lambda: check.vector("y", [1.0, np.inf]), ValueError, "y must be finite, got 1 NaN or infinite"),
        (lambda: check.vector("y", [1j]), TypeError, "y must hold real numbers, got dtype complex128"),
        (lambda: check.design("X", [1.0]), ValueError, r"X must be a matrix.*got shape \(1,\)"),
        (lambda: check.design("X", [[1.0], [1.0, 2.0]]), ValueError, "X must be a rectangular array"),
        (lambda: check.design("X", np.array([["a"]])), TypeError, "X must hold real numbers, got dtype <U1"),
        (lambda: check.design("X", sp.csr_array([[np.nan]])), ValueError, "X must be finite"),
    ],
)
def test_bad_values_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_sparse_designs_become_canonical_without_touching_the_original():
    rows, cols, values = np.array([1, 0, 1, 0]), np.array([2, 1, 2, 0]), np.array([1, 2, -1, 3], dtype=np.int8)
    coo = sp.coo_array((values, (rows, cols)), shape=(2, 3))
    csr = check.design("X", coo)
    np.testing.assert_array_equal(csr.toarray(), [[3, 2, 0], [0, 0, 0]])
    assert csr.nnz == 2
    assert csr.dtype == np.float64
    assert coo.nnz == 4
    unsorted = sp.csr_array((np.array([1.0, 2.0]), np.array([2, 0]), np.array([0, 2])), shape=(1, 3))
    before = unsorted.indices.copy()
    check.design("X", unsorted)
    np.testing.assert_array_equal(unsorted.indices, before)


def test_small_bits_are_kept():
    assert check.one_of("kind", "a", iter(["a", "b"])) == "a"
    assert check.number("rho", 1, low=0, high=1) == 1.0
    assert check.integer("k", np.int64(3)) == 3
