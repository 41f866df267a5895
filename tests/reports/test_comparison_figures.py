"""Figures of several encoders have one scale."""

import re

import numpy as np
import pytest

from scripts.reports.comparison_figures import component_maps, distances_of_encoders, error_bars

pytest.importorskip("matplotlib")


@pytest.fixture
def location():
    return np.random.RandomState(0).uniform(-80, 80, (60, 3))


def panels_of(figure):
    """Its axes, without those of colour bars."""
    return [axes for axes in figure.picture.axes if axes.get_xlabel() and axes.get_ylabel()]


def test_distances_of_encoders_have_one_scale_that_the_worst_does_not_set():
    physical = np.random.RandomState(0).uniform(0, 200, 500)
    axes = panels_of(distances_of_encoders({"good": physical + 1, "wild": 50 * physical}, physical))
    assert axes[0].get_ylim() == axes[1].get_ylim() and axes[0].get_ylim()[1] < 320
    assert axes[0].get_title() == "good" and re.fullmatch(r"wild \(9\d% lie above\)", axes[1].get_title())


def test_maps_of_encoders_name_components_and_their_shares(location):
    axes = panels_of(component_maps({"isimed": location}, {"isimed": np.array([0.5, 0.25])}, location))
    assert (axes[0].get_xlabel(), axes[0].get_ylabel()) == ("first component, 50%", "second component, 25%")


def test_errors_have_one_scale_and_their_intervals():
    errors = {"near": {"a": 1.0, "mean": 2.0}, "far": {"a": 10.0, "mean": None}}
    figure = error_bars(errors, {"near": {"a": (0.5, 1.5)}, "far": {}}, ["a"])
    near, far = figure.picture.axes
    assert near.get_xlim() == far.get_xlim()
    assert [0.5, 1.5] in [list(line.get_xdata()) for line in near.get_lines()]
