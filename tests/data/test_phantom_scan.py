"""The synthetic scan: lesions and organs are where its masks say."""

import dataclasses

import numpy as np
import pytest
from nibabel.affines import apply_affine

from scripts.data.phantom_body import LABELLED, ORGANS
from scripts.data.phantom_scan import draw_subject, organ_map, render


@pytest.fixture
def subject():
    return draw_subject(np.random.default_rng(0), "small")


def test_lesions_change_the_image_in_their_mask_only(subject):
    image, mask = render(subject)
    healthy, empty = render(dataclasses.replace(subject, lesions=[]))
    assert mask.any() and not empty.any()
    changed = image != healthy
    assert changed[mask == 1].mean() > 0.8
    assert changed[mask == 0].mean() < 1e-4  # the faded surface of the body


def test_a_label_map_has_each_organ_where_its_centre_is(subject):
    labels, places = organ_map(subject), np.linalg.inv(subject.affine) @ subject.pose
    for number, name in enumerate(LABELLED, 1):
        centre = subject.organs[list(ORGANS).index(name)].centre
        x, y, z = np.rint(apply_affine(places, centre)).astype(int)
        assert labels[x, y, z] == number, name
