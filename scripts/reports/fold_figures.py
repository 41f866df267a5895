"""Figures of classifiers in the folds of a cross-validation."""

from functools import partial

import numpy as np

from .figure import QUIET, TRAINED, Figure, Panel, name_axes
from .share_curves import Curve, draw_curves

__all__ = ["fold_dots", "label_curves"]


def fold_dots(name: str, title: str, caption: str, values: dict[str, np.ndarray], baselines) -> Figure:
    """Each fold's value as a dot, their middle half as a bar and their median as a line, [K] by whose they are.

    Args:
        name: of the figure; `title` of its axis.
        caption: says what it shows.
        values: by whose they are; nan where a fold has none.
        baselines: which of the names are grey.
    """

    def draw(axes) -> None:
        for place, (label, found) in enumerate(values.items()):
            colour, known = QUIET if label in baselines else TRAINED, found[np.isfinite(found)]
            if len(known):
                low, middle, high = np.percentile(known, [25, 50, 75])
                axes.barh(place, high - low, 0.6, low, color=colour, alpha=0.25)
                axes.plot([middle, middle], [place - 0.3, place + 0.3], color=colour, lw=2)
            axes.plot(known, place + np.linspace(-0.2, 0.2, len(known)), "o", ms=4, color=colour, alpha=0.8)
        axes.set_yticks(range(len(values)), list(values))
        axes.invert_yaxis()
        name_axes(axes, title, "")

    return Figure(name, title, caption, [Panel(draw, 1 + 0.4 * len(values), 4, left=None)], dict(values), columns=1)


def label_curves(name: str, title: str, shares: np.ndarray, values: dict[str, np.ndarray], baselines) -> Figure:
    """Mean over folds of a metric against the share of training subjects that have labels.

    Args:
        name: of the figure; `title` of its axis.
        shares: from 0 to 1, [S].
        values: of each classifier, [S, K] over K folds.
        baselines: which of the names are drawn dashed and grey.
    """
    caption = (
        f"Mean {title} over folds, with its standard error as Nadeau and Bengio correct it, at nested shares of the "
        "training subjects; the fold that validates has all its labels."
    )
    data = {"share": shares} | {label: np.nanmean(folds, 1) for label, folds in values.items()}
    curves = {label: _curve(folds) for label, folds in values.items()}
    panel = Panel(partial(draw_curves, shares, curves, baselines, title), 3.2 + 0.2 * len(values), 4, left=None)
    return Figure(name, "Label efficiency", caption, [panel], data, columns=1)


def _curve(folds: np.ndarray) -> Curve:
    """Mean and its standard error over folds, [S, K], of which all but two train: Nadeau and Bengio's variance."""
    number, mean = folds.shape[1], np.nanmean(folds, 1)
    error = np.nanstd(folds, 1, ddof=1) * np.sqrt(1 / number + 1 / (number - 2))
    return Curve(mean, mean - error, mean + error)
