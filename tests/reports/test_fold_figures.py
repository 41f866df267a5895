"""Figures of folds show each fold that has a value."""

import numpy as np
import pytest

from scripts.reports.fold_figures import fold_dots, label_curves

pytest.importorskip("matplotlib")


def test_a_fold_without_a_value_has_no_dot():
    (axes,) = fold_dots(
        "auc", "AUC", "", {"a": np.array([0.5, np.nan, 0.7]), "b": np.full(3, np.nan)}, ["b"]
    ).picture.axes
    drawn = [list(line.get_xdata()) for line in axes.get_lines()]
    assert [0.5, 0.7] in drawn and [] in drawn


def test_shares_of_labels_are_drawn_in_percent():
    values = {"a": np.array([[0.5, 0.7, 0.6], [0.6, 0.8, 0.7]])}
    (axes,) = label_curves("label_efficiency", "AUC", np.array([0.1, 1.0]), values, []).picture.axes
    np.testing.assert_allclose(axes.get_lines()[0].get_xydata(), [[10, 0.6], [100, 0.7]])
