import sys

import numpy as np
import pytest

from scripts.reports import figures

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
    axes = figures.loss_curves(columns).picture.axes[0]
    training, validation, best = (line.get_xydata() for line in axes.get_lines())
    np.testing.assert_array_equal(training, [[1, 400], [2, 400], [3, 400]])
    np.testing.assert_array_equal(validation, [[1, 900], [3, 100]])
    np.testing.assert_array_equal(best, [[3, 100]])


def test_each_metric_of_the_validation_has_a_panel():
    figure = figures.loss_curves(history(900, 100, rankme=[3.0, 7.0], learning_rate=[1.0, 0.9]))
    assert [axes.get_title() for axes in figure.picture.axes] == ["loss", "rankme"]
    np.testing.assert_array_equal(figure.picture.axes[1].get_lines()[0].get_xydata(), [[1, 3], [2, 7]])
    np.testing.assert_array_equal(figure.data["rankme"], [3, 7])


def test_the_best_validation_is_marked():
    axes = figures.loss_curves(history(900, np.nan, 100, 400)).picture.axes[0]
    assert "best, epoch 3" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_run_without_validation_has_a_loss_curve(tmp_path):
    figures.loss_curves(history(np.nan, np.nan)).picture.savefig(tmp_path / "loss.png")


def test_distances_are_drawn_as_they_are(random):
    physical = random.uniform(0, 200, 50)
    data = figures.distance_agreement(physical + 1, physical, physical * 0.1).data
    np.testing.assert_array_equal(data["physical_mm"], physical)
    np.testing.assert_array_equal(data["latent_mm"], physical + 1)
    np.testing.assert_array_equal(data["latent_untrained_mm"], physical * 0.1)


def test_many_distances_are_thinned_out_and_stay_in_pairs(random):
    physical = random.uniform(1, 200, 30_000)
    first, second = (figures.distance_agreement(physical * 2, physical, physical * 3).data for _ in range(2))
    assert len(first["physical_mm"]) == 20_000
    np.testing.assert_array_equal(first["latent_mm"], first["physical_mm"] * 2)
    np.testing.assert_array_equal(first["physical_mm"], second["physical_mm"])


@pytest.mark.parametrize("scale", [0, 1e-3, 1e6])
def test_an_untrained_encoder_of_any_scale_leaves_the_trained_one_visible(random, scale):
    physical = random.uniform(0, 200, 2000)
    axes = figures.distance_agreement(physical + random.randn(2000), physical, physical * scale).picture.axes[1]
    assert axes.get_xlim()[1] < 40


def test_a_map_has_one_panel_an_axis_and_its_points_in_the_data(location):
    figure = figures.embedding_map_2d("map", "Map", "A map.", location[:, :2] * 2, location)
    labels = [axes.get_xlabel() for axes in figure.picture.axes]
    assert [label for label in labels if "(mm)" in label] == [f"{axis} (mm)" for axis in figures.AXES]
    np.testing.assert_array_equal(figure.data["first"], location[:, 0] * 2)
    np.testing.assert_array_equal(figure.data["z_mm"], location[:, 2])


def test_without_umap_learn_there_are_no_umap_points(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    assert figures.umap_points(np.zeros((20, 4)), seed=0) is None


def test_components_that_are_turned_positions_fit_positions(random, location):
    turn = np.linalg.qr(random.randn(3, 3))[0]
    figure = figures.principal_components(location @ turn + 5, location)
    np.testing.assert_allclose([figure.data[f"fitted_{axis}_mm"] for axis in "xyz"], location.T)
    assert [axes.get_title() for axes in figure.picture.axes[3:]] == ["all three together: R² = 1.00"] * 3


def test_each_component_is_drawn_against_the_axis_that_it_follows(location):
    axes = figures.principal_components(location[:, [2, 0, 1]], location).picture.axes
    assert [axis.get_xlabel()[0] for axis in axes[:3]] == ["z", "x", "y"]


def test_a_scan_is_shown_with_head_and_front_up_and_in_its_proportions():
    image = np.full((4, 6, 8), -1.0)
    image[:, :, -1] = image[:, -1] = 1.5  # head and front
    sagittal, coronal, axial = (axes.images[0] for axes in _panels(image)[:3])
    assert sagittal.get_array().shape == (8, 6)
    assert sagittal.get_extent() == [-9, 9, -16, 16]
    for picture in (sagittal, coronal, axial):
        assert picture.origin == "lower"
        assert (picture.get_array()[-1] == 1).all()
    assert (sagittal.get_array()[:, -1] == 1).all()


def test_colours_lie_over_the_scan():
    image = np.full((4, 6, 8), 1.0)
    image[0] = -1
    for axes in _panels(image)[3:]:
        assert set(np.unique(axes.images[0].get_array())) <= {0.0, 0.5}
    assert _panels(image)[4].images[0].get_array()[:, 0].max() == 0


def _panels(image):
    return figures.scan_map(image, np.full((3, *image.shape), 0.5), (2, 3, 4)).picture.axes


def test_figures_leave_pyplot_alone(location):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    settings = dict(pyplot.rcParams)
    figures.principal_components(location, location)
    figures.distance_agreement(*location.T)
    assert not pyplot.get_fignums()
    assert dict(pyplot.rcParams) == settings
