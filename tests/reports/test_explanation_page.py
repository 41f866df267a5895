"""The page has the encoder and its control, columns by what they add, and maps over slices."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from scripts.evaluation.explanation_tables import ColumnFigures
from scripts.evaluation.explanations import ScanMap
from scripts.handlers.save_explained import ExplainedScan
from scripts.reports.explanation_figures import columns_figure
from scripts.reports.explanation_page import write_explanation_page

pytest.importorskip("matplotlib")
KEYS = [("blood", "iron"), ("blood", "sex"), ("genes", "rs1")]


def figures(*means):
    ends = [(mean - 0.1, mean + 0.1) for mean in means]
    return ColumnFigures(*(dict(zip(KEYS, of, strict=True)) for of in (means, [*ends[:2], None], [9, 8, 4])))


FIGURES = {"": figures(0.05, -0.3, 0.2), "_shuffled": figures(0.01, 0.02, 0.0)}


def test_columns_are_counted_whose_interval_leaves_0_out():
    assert [one.sure for one in FIGURES.values()] == [1, 0]


def test_columns_are_drawn_from_the_one_that_adds_or_takes_the_most():
    figure = columns_figure(FIGURES)
    assert figure.data["attribution"].tolist() == [-0.3, 0.2, 0.05]
    assert figure.data["attribution_shuffled"].tolist() == [0.02, 0, 0.01]
    assert np.isnan(figure.data["low"]).tolist() == [False, True, False]
    (axes, beside) = figure.picture.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["blood: sex", "genes: rs1", "blood: iron"]
    assert axes.get_xlim() == beside.get_xlim()


def test_the_page_says_what_is_explained_and_whether_it_adds_up(tmp_path):
    image, found = MetaTensor(torch.rand(1, 9, 8, 7)), MetaTensor(torch.zeros(1, 9, 8, 7))
    found[0, 4, 5, 6] = 1
    scan = ExplainedScan("scan", "P1", image, {"": ScanMap(found, 0.5, 0.01), "_shuffled": ScanMap(0 * found, 0, 0)})
    metrics = {"persons": 9, "columns": 3, "explained_columns": 1, "explained_columns_shuffled": 0}
    metrics |= {"explained_similarity": 0.4, "explained_similarity_shuffled": -0.01}
    metrics["intervals"] = {"explained_similarity": [0.3, 0.5]}
    write_explanation_page(metrics, FIGURES, [scan], tmp_path)
    page = (tmp_path / "explained.html").read_text(encoding="utf-8")
    assert "0.400 more similar" in page and "of shuffled tables, -0.010" in page and "0.300 to 0.500" in page
    assert "0.510" in page and "Where in the scan of P1" in page
    assert (tmp_path / "figures" / "scan_1.png").is_file() and (tmp_path / "figures" / "columns.csv").is_file()
