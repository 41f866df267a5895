"""Panels can be read alone, and drawing leaves nothing behind."""

import re

import numpy as np
import pytest

from scripts.reports.encoder_figures import distance_agreement, embedding_map_2d

pytest.importorskip("matplotlib")


@pytest.fixture
def location():
    return np.random.RandomState(0).uniform(-80, 80, (60, 3))


def test_a_panel_alone_fits_a_narrow_page_and_is_drawn_the_same_each_time(location):
    figure = embedding_map_2d("map", "Map", "A map.", location[:, :2], location, ("one", "other"))
    first, second = figure.svgs(), figure.svgs()
    assert first == second and len(first) == 3
    width = float(re.search(rb'<svg[^>]* width="([\d.]+)pt"', first[0])[1])
    assert width * 4 / 3 < 400


def test_figures_leave_pyplot_alone(location):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    settings = dict(pyplot.rcParams)
    embedding_map_2d("map", "Map", "A map.", location[:, :2], location, ("one", "other")).svgs()
    distance_agreement(*location.T).png()
    assert not pyplot.get_fignums()
    assert dict(pyplot.rcParams) == settings
