"""What an evaluation's log says of an encoder, and what it must not be silent about."""

import logging

import pytest

from scripts.evaluation.summary import summarise

METRICS = {
    "location_error_mm": 17.7,
    "location_error_mm_random_encoder": 14.8,
    "location_error_mm_intensities": 27.0,
    "location_error_mm_mean_position": 56.9,
    "distance_error_mm": 4.0,
    "distance_error_mm_random_encoder": 77.0,
    "distance_error_mm_mean_distance": 25.8,
    "subjects": 20,
    "crops": 640,
    "intervals": {"location_error_mm": [16.0, 19.0], "distance_error_mm": [3.5, 4.5]},
    "differences": {
        "location_error_mm_random_encoder": [1.5, 4.0],
        "location_error_mm_intensities": [-12.0, -7.0],
        "location_error_mm_mean_position": [-45.0, -33.0],
        "distance_error_mm_random_encoder": [-80.0, -60.0],
        "distance_error_mm_mean_distance": [-25.0, -20.0],
    },
}


@pytest.fixture
def warnings(caplog):
    """A function: the warnings of an evaluation with these metrics in place of others."""

    def logged(**metrics):
        caplog.clear()
        summarise(METRICS | metrics)
        return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]

    return logged


def test_a_baseline_that_an_encoder_loses_to_is_named(warnings):
    assert warnings() == ["The encoder loses to the untrained encoder in location error: 17.7 against 14.8 mm."]


def test_what_is_not_sure_is_not_called_a_win(warnings):
    differences = METRICS["differences"] | {"location_error_mm_random_encoder": [-5.0, 1.0]}
    (sentence,) = warnings(location_error_mm=12.5, differences=differences)
    assert sentence == (
        "The encoder does not surely beat the untrained encoder in location error: 12.5 against 14.8 mm (95 % of the "
        "difference: -5.0 to 1.0)."
    )


def test_few_subjects_say_who_is_ahead_and_that_it_is_not_sure(warnings, caplog):
    few = {"subjects": 3, "intervals": {}, "differences": {}}
    assert warnings(**few) == [
        "The encoder is not ahead of the untrained encoder in location error: 17.7 against 14.8 mm."
    ]
    caplog.set_level("INFO")
    summarise(METRICS | few)
    assert "3 test subjects are too few to be sure of what is better: that takes 5." in caplog.text


def test_intervals_stand_before_the_figures(caplog):
    caplog.set_level("INFO")
    summarise(METRICS)
    intervals, *_, figures = caplog.messages
    assert intervals == (
        "95 % intervals, over 20 test subjects: location error 16.0 to 19.0 mm, distance error 3.5 to 4.5 mm."
    )
    assert figures.startswith("640 crops of 20 test subjects: location error 17.7 mm (untrained encoder 14.8, raw")


def test_of_a_metric_that_has_no_figure_nothing_is_said(warnings):
    said = warnings()
    without = dict.fromkeys(("distance_error_mm_within_scans", "distance_error_mm_within_scans_mean_distance"))
    assert warnings(**without) == said
