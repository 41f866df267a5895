"""Figures of one encoder show what they are given."""

import sys

import numpy as np
import pytest

from scripts.reports.encoder_figures import (
    component_names,
    distance_agreement,
    embedding_map_2d,
    loss_curves,
    principal_components,
    umap_points,
)
from scripts.reports.figure import AXES

pytest.importorskip("matplotlib")


@pytest.fixture
def random():
    return np.random.RandomState(0)


@pytest.fixture
def location(random):
    return random.uniform(-80, 80, (60, 3))


def history(*losses, **metrics):
    """Columns of history.csv, in which the lower loss is the better one."""
    lowest = np.fmin.accumulate([np.inf, *losses])
    columns = {"epoch": np.arange(1.0, 1 + len(losses)), "train_loss": np.full(len(losses), 400.0)}
    columns["best"] = np.where(np.isnan(losses), np.nan, losses < lowest[:-1])
    return columns | {"validation_loss": np.array(losses, float)} | {name: np.array(m) for name, m in metrics.items()}


def test_losses_are_drawn_as_they_are():
    columns = history(900, np.nan, 100)
    axes = loss_curves(columns).picture.axes[0]
    training, validation, best = (line.get_xydata() for line in axes.get_lines())
    np.testing.assert_array_equal(training, [[1, 400], [2, 400], [3, 400]])
    np.testing.assert_array_equal(validation, [[1, 900], [3, 100]])
    np.testing.assert_array_equal(best, [[3, 100]])


def test_each_metric_of_the_validation_has_a_panel():
    figure = loss_curves(history(900, 100, rankme=[3.0, 7.0], learning_rate=[1.0, 0.9], crops=[80, 160]))
    assert [axes.get_ylabel() for axes in figure.picture.axes] == ["loss", "effective dimension (RankMe)"]
    np.testing.assert_array_equal(figure.picture.axes[1].get_lines()[0].get_xydata(), [[1, 3], [2, 7]])
    np.testing.assert_array_equal(figure.data["rankme"], [3, 7])


def test_the_best_validation_is_marked():
    axes = loss_curves(history(900, np.nan, 100, 400)).picture.axes[0]
    assert "best, epoch 3" in [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("epochs", [1, 2, 50])
def test_epochs_are_whole(epochs):
    ticks = loss_curves(history(*range(epochs, 0, -1))).picture.axes[0].get_xticks()
    assert len(ticks) and (ticks == ticks.round()).all()


def test_a_run_without_validation_has_a_loss_curve(tmp_path):
    loss_curves(history(np.nan, np.nan)).picture.savefig(tmp_path / "loss.png")


def test_distances_are_drawn_as_they_are(random):
    physical = random.uniform(0, 200, 50)
    data = distance_agreement(physical + 1, physical, physical * 0.1).data
    np.testing.assert_array_equal(data["physical_mm"], physical)
    np.testing.assert_array_equal(data["latent_mm"], physical + 1)
    np.testing.assert_array_equal(data["latent_untrained_mm"], physical * 0.1)


def test_many_distances_are_thinned_out_and_stay_in_pairs(random):
    physical = random.uniform(1, 200, 30_000)
    first, second = (distance_agreement(physical * 2, physical, physical * 3).data for _ in range(2))
    assert len(first["physical_mm"]) == 20_000
    np.testing.assert_array_equal(first["latent_mm"], first["physical_mm"] * 2)
    np.testing.assert_array_equal(first["physical_mm"], second["physical_mm"])


@pytest.mark.parametrize("scale", [0, 1e-3, 1e6])
def test_an_untrained_encoder_of_any_scale_leaves_the_trained_one_visible(random, scale):
    physical = random.uniform(0, 200, 2000)
    axes = distance_agreement(physical + random.randn(2000), physical, physical * scale).picture.axes[-1]
    assert axes.get_xlim()[1] < 40


@pytest.mark.parametrize("untrained", [0, 1])
def test_crops_that_all_lie_at_one_place_are_drawn(untrained):
    figure = distance_agreement(np.zeros(10), np.zeros(10), np.full(10, untrained))  # as of scans smaller than a crop
    assert figure.png() and len(figure.svgs()) == 2


def test_a_map_has_one_panel_an_axis_and_its_points_in_the_data(location):
    figure = embedding_map_2d("map", "Map", "A map.", location[:, :2] * 2, location, ("one", "other"))
    assert {axes.get_xlabel() for axes in figure.picture.axes} >= {"one"}
    labels = [axes.get_xlabel() for axes in figure.picture.axes]
    assert [label for label in labels if "(mm)" in label] == [f"{axis} (mm)" for axis in AXES]
    np.testing.assert_array_equal(figure.data["first"], location[:, 0] * 2)
    np.testing.assert_array_equal(figure.data["z_mm"], location[:, 2])


def test_without_umap_learn_there_are_no_umap_points(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    assert umap_points(np.zeros((20, 4)), seed=0) is None


def components(scores, location, fit=None):
    return principal_components(
        scores, np.array([0.6, 0.3, 0.05]), location, location if fit is None else fit, list("abc")
    )


def test_the_place_by_three_components_is_the_one_of_the_table_with_its_r2(location):
    figure = components(location, location, location + 7)
    np.testing.assert_allclose([figure.data[f"fitted_{axis}_mm"] for axis in "xyz"], location.T + 7)
    assert [axes.get_title() for axes in figure.picture.axes[3:]] == ["R² a", "R² b", "R² c"]


def test_each_component_is_drawn_against_the_axis_that_it_follows_and_named_with_its_share(location):
    axes = components(location[:, [2, 0, 1]], location).picture.axes
    assert [axis.get_xlabel()[0] for axis in axes[:3]] == ["z", "x", "y"]
    assert axes[0].get_ylabel() == "first component, 60% of variance" == component_names(np.array([0.6]))[0]


def test_panels_that_are_compared_have_equal_scales(location):
    axes = components(location * [1, 5, 9], location * [9, 5, 1]).picture.axes
    for row in (axes[:3], axes[3:]):
        assert len({axis.get_xlim() for axis in row}) == len({axis.get_ylim() for axis in row}) == 1
