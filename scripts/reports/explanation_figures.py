"""Figures of explanations: what columns add, and where in scans something adds."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from ..evaluation.explanation_tables import ColumnFigures
from ..handlers.save_explained import ExplainedScan
from .figure import QUIET, TRAINED, UNTRAINED, Figure, Panel, name_axes
from .scan_figure import PLANES, frame

__all__ = ["columns_figure", "scan_figure"]

SHOWN = 20  # columns, those that add the most
MODELS = {"": "", "_shuffled": "control"}


def columns_figure(figures: Mapping[str, ColumnFigures]) -> Figure:
    """Mean attributions of columns with their intervals; a control beside them has the same columns and scale.

    Args:
        figures: by the ending of the model.
    """
    own = figures[""]
    keys = sorted(own.mean, key=lambda key: -abs(own.mean[key]))[:SHOWN]
    tables = {table for table, _ in own.mean}
    names = [column if len(tables) == 1 else f"{table}: {column}" for table, column in keys]
    reach = 1.05 * max(
        [abs(end) for one in figures.values() for key in keys for end in one.interval.get(key) or ()]
        + [abs(one.mean.get(key, 0)) for one in figures.values() for key in keys]
    )

    def draw(one: ColumnFigures, title: str, axes) -> None:
        means = np.array([one.mean.get(key, np.nan) for key in keys])
        ends = np.array([one.interval.get(key) or (np.nan, np.nan) for key in keys])
        sure = (ends[:, 0] > 0) | (ends[:, 1] < 0)
        colour = UNTRAINED if title else TRAINED
        axes.barh(range(len(keys)), means, color=[colour if one else QUIET for one in sure], height=0.7)
        axes.hlines(range(len(keys)), *ends.T, color="black", lw=1)
        axes.axvline(0, color="black", lw=0.8)
        name_axes(axes, "attribution", "", title)
        axes.set(yticks=range(len(keys)), yticklabels=names, ylim=(len(keys) - 0.4, -0.6))
        if reach:
            axes.set_xlim(-reach, reach)

    panels = [
        Panel(partial(draw, one, MODELS[ending]), 1.1 + 0.22 * len(keys), 4.6, left=None)
        for ending, one in figures.items()
    ]
    caption = (
        "What columns add to the similarity of a person's line with the own scan, beyond that with the scans of "
        "others: the mean over test persons, with 95 % intervals over persons. Of "
        f"{len(own.mean)} columns, the {len(keys)} that add the most; explained_columns.csv has all. Grey: the "
        "interval has 0 in it, or there are fewer than 5 persons."
    )
    data = {
        f"{what}{ending}": np.array(values, float)
        for ending, one in figures.items()
        for what, values in (
            ("attribution", [one.mean.get(key, np.nan) for key in keys]),
            ("low", [(one.interval.get(key) or (np.nan,))[0] for key in keys]),
            ("high", [(one.interval.get(key) or (np.nan,))[-1] for key in keys]),
        )
    }
    return Figure("columns", "Which columns", caption, panels, data, columns=len(panels))


def scan_figure(scan: ExplainedScan, number: int) -> Figure:
    """Slices of a scan through the place that adds the most, one way or the other, with the maps of models over them.

    Args:
        scan: with its maps.
        number: of the figure.
    """
    grey = np.clip((np.asarray(scan.image[0]) + 1) / 2, 0, 1)
    maps = {ending: np.asarray(one.attribution[0]) for ending, one in scan.maps.items()}
    size = np.abs(maps[""])
    at = [int(size.sum(tuple({0, 1, 2} - {axis})).argmax()) for axis in range(3)]
    limit = max(float(np.quantile(np.abs(one), 0.999)) for one in maps.values()) or 1.0
    spacing = np.linalg.norm(np.asarray(scan.image.affine)[:3, :3], axis=0)
    half = np.array(grey.shape) * spacing / 2

    def draw(over: np.ndarray | None, title: str, i: int, axes) -> None:
        across, up = (axis for axis in range(3) if axis != i)
        place = {"origin": "lower", "extent": (-half[across], half[across], -half[up], half[up])}
        axes.imshow(grey.take(at[i], i).T, cmap="gray", vmin=0, vmax=1, **place)
        if over is not None:
            values = over.take(at[i], i).T
            shown = np.clip(np.abs(values) / limit, 0, 1) ** 0.5
            axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=shown, **place)
        axes.set_title(title, fontsize=10)
        frame(axes, half.max(), PLANES[title.split(",")[0]])

    panels = [Panel(partial(draw, None, plane, i), 3.4) for i, plane in enumerate(PLANES)]
    for ending, over in maps.items():
        what = f", {MODELS[ending] or 'explained'}"
        panels += [Panel(partial(draw, over, f"{plane}{what}", i), 3.4) for i, plane in enumerate(PLANES)]
    caption = (
        f"{scan.name}: slices in which voxels add the most. Red adds to the similarity with the own line, beyond that "
        "with the lines of others; blue takes from it. All maps have one scale. L, R, A, P, S, I: left, right, front, "
        "back, head, foot."
    )
    return Figure(f"scan_{number}", f"Where in the scan of {scan.subject}", caption, panels, {})
