"""Figures of classifiers in the folds of a cross-validation."""

from functools import partial
from itertools import cycle

import numpy as np

from .figure import COLOURS, QUIET, TRAINED, Figure, Panel, name_axes

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
    panel = Panel(partial(_draw_shares, title, shares, values, baselines), 3.2 + 0.2 * len(values), 4, left=None)
    return Figure(name, "Label efficiency", caption, [panel], data, columns=1)


def _draw_shares(title: str, shares: np.ndarray, values: dict[str, np.ndarray], baselines, axes) -> None:
    known = {name: {"color": QUIET, "ls": "--", "marker": marker} for name, marker in zip(baselines, cycle("sD^v"))}
    colours = cycle(COLOURS)
    for label, folds in values.items():
        number = folds.shape[1]  # of which all but two train: Nadeau and Bengio's variance of the mean
        mean, error = np.nanmean(folds, 1), np.nanstd(folds, 1, ddof=1) * np.sqrt(1 / number + 1 / (number - 2))
        style = known.get(label) or {"color": next(colours), "marker": "o"}
        axes.errorbar(100 * shares, mean, error, ms=4, capsize=2, lw=1.6, label=label, **style)
    axes.set(xscale="log", xticks=100 * shares, xticklabels=[f"{100 * share:g}" for share in shares])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1))
    name_axes(axes, "training subjects with labels (%)", title)
