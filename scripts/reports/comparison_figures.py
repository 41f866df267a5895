"""Figures of several encoders side by side, in equal scales."""

from functools import partial

import numpy as np

from .figure import AXES, INK, QUIET, TRAINED, Figure, Panel, colour_bar, dots, name_axes

__all__ = ["component_maps", "distances_of_encoders", "error_bars"]


def distances_of_encoders(latent: dict[str, np.ndarray], physical: np.ndarray) -> Figure:
    """Distances between embeddings, of each encoder [P], against physical distances [P], of pairs of crops."""
    from matplotlib.colors import LogNorm

    right = 1.02 * np.percentile(physical, 99.9)
    # one scale for all, in which an encoder whose distances mean nothing does not hide the others
    top = np.clip(1.02 * max(np.percentile(values, 99.9) for values in latent.values()), right, 1.5 * right)

    def draw(name: str, axes) -> None:
        grid = {"gridsize": 40, "extent": (0, right, 0, top), "mincnt": 1, "linewidths": 0.1}
        shown = latent[name] <= top
        norm = LogNorm(0.5, max(10, len(physical) / 100))
        hexagons = axes.hexbin(physical[shown], latent[name][shown], **grid, norm=norm, cmap="Blues")
        axes.plot([0, right], [0, right], color=INK, lw=1, ls="--")
        axes.set(xlim=(0, right), ylim=(0, top))
        beyond = f" ({1 - shown.mean():.0%} lie above)" if not shown.all() and top < latent[name].max() / 1.05 else ""
        name_axes(axes, "physical distance (mm)", "distance between embeddings (mm)", name + beyond)
        colour_bar(axes, hexagons, "pairs", format="{x:g}", pad=0.13)  # below it, the title

    caption = (
        "Distances between embeddings, read in mm, against those between crops, of the same pairs and in the same "
        "scales; dashed where equal."
    )
    panels = [Panel(partial(draw, name), 3.8) for name in latent]
    return Figure("distances", "Distances between embeddings", caption, panels, {}, columns=min(3, len(panels)))


def component_maps(scores: dict[str, np.ndarray], shares: dict[str, np.ndarray], location: np.ndarray) -> Figure:
    """Two principal components of each encoder's embeddings, coloured by place.

    Args:
        scores: of an encoder's components, [N, 2 or more]; `shares` of the variance that each has.
        location: of the crops in mm, [N, 3].
    """

    def draw(name: str, i: int, axes) -> None:
        drawn = dots(axes, scores[name][:, :2], c=location[:, i], cmap="viridis")
        axes.set_aspect("equal", adjustable="datalim")
        first, second = (
            f"{which} component, {share:.0%}"
            for which, share in zip(("first", "second"), shares[name][:2], strict=True)
        )
        name_axes(axes, first, second, name)
        colour_bar(axes, drawn, f"{AXES[i]} (mm)", pad=0.13)

    caption = (
        "The first two principal components of the embeddings of the same test crops, with their shares of the "
        "variance, coloured by where each lies. Embeddings of different encoders have different units, and so each "
        "encoder has its own scale."
    )
    panels = [Panel(partial(draw, name, i), 3.9) for name in scores for i in range(3)]
    return Figure("maps", "Maps of the body", caption, panels, {})


def error_bars(errors: dict[str, dict], intervals: dict[str, dict], encoders) -> Figure:
    """Errors side by side.

    Args:
        errors: in mm, by what is measured, then by whose; None where it was not.
        intervals: [low, high] of these, or None.
        encoders: which of the names are trained encoders; the others are baselines.
    """
    known = [value for values in errors.values() for value in values.values() if value is not None]
    largest = 1.25 * max([value for value in known if np.isfinite(value)], default=1)

    def draw(label: str, axes) -> None:
        for name, value in reversed(errors[label].items()):
            if value is None:
                continue
            colour, interval = TRAINED if name in encoders else QUIET, intervals[label].get(name)
            axes.barh(name, value, color=colour, alpha=0.75)
            low, high = interval or (value, value)
            axes.plot([low, high], [name, name], color=INK, lw=1.4)
            axes.text(max(value, high), name, f" {value:.1f}", va="center", fontsize=9)
        axes.set(xlim=(0, largest))
        name_axes(axes, label, "")

    caption = (
        "Errors on the same test crops and in the same scale, of encoders and, in grey, of what they must beat; the "
        "lines are 95 % intervals over subjects. Shorter is better."
    )
    height = 0.9 + 0.32 * max(map(len, errors.values()))
    panels = [Panel(partial(draw, label), height, 3.6, left=None) for label in errors]
    return Figure("errors", "Errors", caption, panels, {}, columns=min(3, len(panels)))
