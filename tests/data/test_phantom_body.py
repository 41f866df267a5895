"""The synthetic body: organs that are there and differ from person to person, and lesions in any place."""

import dataclasses

import numpy as np
import pytest

from scripts.data.phantom_body import LESIONS, ORGANS, Lesion, draw_lesion, tissue
from scripts.data.phantom_scan import draw_subject


@pytest.fixture
def subject():
    return draw_subject(np.random.default_rng(0), "small")


@pytest.fixture
def points():
    """A grid of 6 mm over the body, the same to the left as to the right, [X, Y, Z, 3]."""
    axis = np.arange(-138, 139, 6)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).astype(np.float32)


def test_at_least_ten_organs_are_visible(subject, points):
    image = tissue(subject.organs, points)
    assert len(ORGANS) == len(subject.organs) >= 10
    for i, organ in enumerate(subject.organs):
        brighter = dataclasses.replace(organ, intensity=organ.intensity + 1)
        changed = tissue([*subject.organs[:i], brighter, *subject.organs[i + 1 :]], points) - image
        assert (changed > 0.5).sum() * 6**3 > 2000  # mm³


def test_left_and_right_are_not_mirror_images(subject, points):
    inner = [dataclasses.replace(organ, centre=organ.centre - subject.organs[0].centre) for organ in subject.organs]
    image = tissue(inner, points)
    assert np.abs(image - image[::-1]).mean() > 0.1 * image.mean()


def test_no_two_bodies_are_alike(points):
    images = [tissue(draw_subject(np.random.default_rng(seed), None).organs, points) for seed in range(3)]
    assert np.abs(images[0] - images[1]).mean() > 0.02 and np.abs(images[1] - images[2]).mean() > 0.02


def test_a_lesion_leaves_the_mean_of_the_tissue_as_it_is(points):
    lesion = Lesion(centre=np.zeros(3, np.float32), radius=120, contrast=0.2)
    texture = lesion.texture(points)
    assert abs(np.nanmean(texture)) < 0.005 < 0.1 < np.nanstd(texture)


def test_lesions_lie_anywhere_in_the_body_and_are_of_either_sign():
    rng = np.random.default_rng(0)
    body = draw_subject(rng, None).organs[0]
    lesions = [draw_lesion(rng, body, *LESIONS["small"]) for _ in range(300)]
    places = np.array([(lesion.centre - body.centre) / body.half for lesion in lesions])
    assert np.all(np.abs(places.mean(0)) < 0.1) and np.all(places.std(0) > 0.4)
    assert 0.4 < np.mean([lesion.contrast > 0 for lesion in lesions]) < 0.6


def test_lesions_are_as_large_as_is_asked_for():
    subjects = [draw_subject(np.random.default_rng(seed), "large") for seed in range(10)]
    radii = [lesion.radius for subject in subjects for lesion in subject.lesions]
    assert 12 <= min(radii) < 14 and 22 < max(radii) <= 24
