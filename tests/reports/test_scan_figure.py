"""A scan is drawn as radiologists know it, with colours over it."""

import numpy as np
import pytest

from scripts.reports.scan_figure import scan_map

pytest.importorskip("matplotlib")


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
    return scan_map(image, np.full((3, *image.shape), 0.5), (2, 3, 4)).picture.axes
