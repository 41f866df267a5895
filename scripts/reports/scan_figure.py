"""Embeddings as colours over a scan."""

from functools import partial

import numpy as np

from .figure import Figure, Panel

__all__ = ["PLANES", "frame", "scan_map"]

PLANES = {"sagittal": "PAIS", "coronal": "LRIS", "axial": "LRPA"}  # left, right, lower and upper edge of the picture


def scan_map(image: np.ndarray, rgb: np.ndarray, spacing_mm: float | tuple) -> Figure:
    """A scan's middle slices, and over them the colours of the embeddings.

    Args:
        image: intensities in [-1, 1] (others are clipped), RAS orientation, [X, Y, Z]; `rgb` in [0, 1], [3, X, Y, Z].
        spacing_mm: of the voxels, one for all directions or one each.
    """
    grey = np.clip((np.asarray(image) + 1) / 2, 0, 1)
    colour = np.clip(rgb, 0, 1) * grey**0.6  # darkened by the scan, so that anatomy shows through
    half = np.array(grey.shape) * spacing_mm / 2

    def draw(pixels: np.ndarray, title: str, i: int, axes) -> None:
        across, up = (axis for axis in range(3) if axis != i)
        extent = (-half[across], half[across], -half[up], half[up])
        axes.imshow(pixels.T, cmap="gray", vmin=0, vmax=1, origin="lower", extent=extent)
        axes.set_title(title, fontsize=10)
        frame(axes, half.max(), PLANES[title.split(",")[0]])

    def panel(volume: np.ndarray, i: int, plane: str, what: str) -> Panel:
        return Panel(partial(draw, volume.take(grey.shape[i] // 2, i + volume.ndim - 3), f"{plane}{what}", i), 3.4)

    panels = [panel(grey, i, plane, "") for i, plane in enumerate(PLANES)]
    panels += [panel(colour, i, plane, ", coloured") for i, plane in enumerate(PLANES)]
    caption = (
        "Middle slices of a test scan; then, coloured by the first three principal components of the embeddings of "
        "crops around each point, as red, green and blue. L, R, A, P, S, I: left, right, front, back, head, foot."
    )
    return Figure("scan", "Embeddings over a scan", caption, panels, {})


def frame(axes, half: float, letters: str) -> None:
    """Black square a little larger than a scan of 2 * `half` mm, with the letters of its edges and a scale bar."""
    bar, edge, limits = 50 if half > 50 else 10, 1.06 * half, (-1.12 * half, 1.12 * half)
    axes.set(xlim=limits, ylim=limits, xticks=[], yticks=[], facecolor="black")
    style = {"color": "white", "ha": "center"}
    for letter, place in zip(letters, ((-edge, 0), (edge, 0), (0, -edge), (0, edge)), strict=True):
        axes.text(*place, letter, **style, va="center", fontsize=9)
    axes.plot([edge - bar, edge], [-edge, -edge], color="white", lw=2)
    axes.text(edge - bar / 2, -1.03 * half, f"{bar} mm", **style, va="bottom", fontsize=8)
