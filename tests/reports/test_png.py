"""A picture is read as what was written."""

import io

import numpy as np
import pytest

from scripts.reports.png import grey_png

imread = pytest.importorskip("matplotlib.image").imread


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 5)])
def test_a_picture_has_its_pixels(shape):
    pixels = np.random.RandomState(0).randint(0, 256, shape).astype(np.uint8)
    assert np.array_equal((imread(io.BytesIO(grey_png(pixels))) * 255).round(), pixels)


def test_a_view_of_another_array_is_a_picture_too():
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)[::-2, ::3].T
    assert np.array_equal((imread(io.BytesIO(grey_png(pixels))) * 255).round(), pixels)
