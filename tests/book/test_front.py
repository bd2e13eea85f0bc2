"""The front page: the matrix that is drawn shows what its words say."""

import numpy as np

from book import index
from tests.pictures import checked


def test_the_two_lit_rows_each_hold_a_good_that_no_other_row_holds():
    drawn = index.matrix()
    assert drawn.odd[0] != drawn.odd[1]
    for row, column in zip(drawn.odd, drawn.rare, strict=True):
        assert drawn.rows[drawn.columns == column].tolist() == [row]
    assert not set(drawn.rows[drawn.columns == drawn.rare[0]]) & set(drawn.rows[drawn.columns == drawn.rare[1]])


def test_columns_go_from_dense_to_single_dots():
    drawn = index.matrix()
    wide = len(drawn.counts)
    assert drawn.counts[0] > 0.9 * (drawn.rows.max() + 1)
    assert drawn.counts[wide // 2 :].max() <= 1
    assert np.sum(drawn.counts == 1) > np.sum(drawn.counts > 1)
    checked(index.fig_matrix())
