"""Places that enough subjects have, and those that are merged with them."""

import logging

import pytest
import torch

from scripts.data.common_places import common_places
from scripts.errors import InputError

POINTS = torch.tensor([[0.0, 0, 0], [52, 0, 0], [104, 0, 0], [-52, 0, 0]])


def shown(*scans):
    return [{"subject": subject, "places": torch.tensor(places)} for subject, places in scans]


SCANS = shown(("a", [0, 1, 2]), ("a", [2, 3]), ("b", [0, 1]), ("c", [0]), ("d", [0, 1]))


def test_a_place_of_few_subjects_shares_the_queue_of_the_nearest_place_of_enough():
    places = common_places(SCANS, POINTS, fewest=3)
    assert places.kept.tolist() == [0, 1] and places.queue.tolist() == [0, 1, 1, 0] and places.subjects == 4


def test_scans_of_one_subject_count_once():
    assert common_places(SCANS, POINTS, fewest=2).kept.tolist() == [0, 1]


def test_a_share_is_of_the_subjects_and_stands_for_two_of_them_at_least():
    assert common_places(SCANS, POINTS, fewest=0.9).kept.tolist() == [0]
    assert common_places(SCANS, POINTS, fewest=0.01).kept.tolist() == [0, 1]


def test_how_many_are_merged_is_said(caplog):
    with caplog.at_level(logging.INFO):
        common_places(SCANS, POINTS, fewest=3)
    assert (
        "2 places lie in 3 training subjects or more and have queues; 2 of fewer share that of the nearest."
        in caplog.text
    )


def test_bodies_that_have_no_place_in_common_are_refused_with_what_would_help():
    with pytest.raises(InputError, match=r"No place lies in the bodies of 2 of 1 training subjects.*place_spacing"):
        common_places(SCANS[:2], POINTS, fewest=2)
