"""Curves over the share of training subjects that have labels, of several encoders."""

from itertools import cycle
from typing import NamedTuple

import numpy as np

from .figure import COLOURS, QUIET, name_axes

__all__ = ["Curve", "draw_curves"]


class Curve(NamedTuple):
    """Of one encoder, at S shares.

    Attributes:
        mean: [S]; with `low` and `high`, the ends of its interval, nan where there is none.
        repeats: what it is the mean of, [S, R]; drawn as faint dots.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    repeats: np.ndarray | None = None


def draw_curves(shares: np.ndarray, curves: dict[str, Curve], baselines, title: str, axes) -> None:
    """Draw curves with their intervals.

    Args:
        shares: from 0 to 1, [S].
        curves: of each encoder.
        baselines: which of the names are dashed and grey.
        title: of the axis of their values.
        axes: of matplotlib.
    """
    known = {name: {"color": QUIET, "ls": "--", "marker": marker} for name, marker in zip(baselines, cycle("sD^v"))}
    colours = cycle(COLOURS)
    for name, curve in curves.items():
        style = known.get(name) or {"color": next(colours), "marker": "o"}
        error = [curve.mean - curve.low, curve.high - curve.mean]
        axes.errorbar(100 * shares, curve.mean, error, ms=4, capsize=2, lw=1.6, label=name, **style)
        if curve.repeats is not None:
            axes.plot(100 * shares, curve.repeats, ".", ms=4, color=style["color"], alpha=0.4)
    axes.set(xscale="log", xticks=100 * shares, xticklabels=[f"{100 * share:g}" for share in shares])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.5, 1))
    name_axes(axes, "training subjects with labels (%)", title)
