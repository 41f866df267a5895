"""Figures of what one encoder has learned, each with the numbers that it draws."""

import warnings
from functools import partial

import numpy as np
from monai.utils import optional_import

from .figure import AXES, INK, QUIET, TRAINED, UNTRAINED, Figure, Panel, colour_bar, dots, name_axes

__all__ = ["distance_agreement", "embedding_map_2d", "loss_curves", "principal_components", "umap_points"]

MEASURED = {
    "rms_error_mm": "RMS error of distances (mm)",
    "rankme": "effective dimension (RankMe)",
    "embedding_std": "spread of embeddings",
}
ORDINALS = ("first", "second", "third")


def loss_curves(history: dict[str, np.ndarray]) -> Figure:
    """Losses, and each metric of the validation, by epoch.

    Args:
        history: columns of history.csv; nan where an epoch was not validated. `best` is 1 where the weights of an
            epoch were better than ever before, so that those of the last such one are kept.
    """
    told = ("epoch", "train_loss", "validation_loss", "learning_rate", "crops_per_second", "crops", "best")
    others = [name for name in history if name not in told]
    panels = [Panel(partial(_draw_curve, history, name)) for name in ["validation_loss", *others]]
    caption = "By epoch, on training and on validation subjects; the weights of the ringed epoch are kept."
    return Figure(
        "loss", "Training", caption, panels, history, columns=2 if len(panels) in (2, 4) else min(len(panels), 3)
    )


def _draw_curve(history: dict[str, np.ndarray], name: str, axes) -> None:
    """A metric by epoch; of the loss, that in training too."""
    epoch, seen = history["epoch"], np.isfinite(history.get("best", np.nan))
    loss = name == "validation_loss"
    if loss:
        axes.plot(epoch, history["train_loss"], "." if len(epoch) == 1 else "-", color=QUIET, lw=1.3, label="training")
        if np.nanmax(history["train_loss"]) > 10 * np.nanmin(history["train_loss"]) > 0:
            axes.set(yscale="log")
    if name in history:
        axes.plot(epoch[seen], history[name][seen], "o-", color=TRAINED, lw=1.8, ms=3, label="validation")
        for best in np.flatnonzero(history["best"] == 1)[-1:]:
            style = {"ms": 10, "mfc": "none", "mec": UNTRAINED, "mew": 2, "label": f"best, epoch {epoch[best]:.0f}"}
            axes.plot(epoch[best], history[name][best], "o", **style)
    axes.set_xlim(epoch[0] - 0.5, epoch[-1] + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6, min_n_ticks=1)
    name_axes(axes, "epoch", "loss" if loss else MEASURED.get(name, name.replace("_", " ")))
    if loss:
        axes.legend(frameon=False, fontsize=9)


def distance_agreement(latent: np.ndarray, physical: np.ndarray, latent_untrained: np.ndarray) -> Figure:
    """Distances between embeddings against physical distances, of at most 20 000 pairs, drawn by a fixed seed.

    Args:
        latent: distances between embeddings of pairs of crops, read in mm, [P]; `latent_untrained` before training.
        physical: distances between the crops of these pairs in mm, [P].
    """
    kept = np.sort(np.random.RandomState(0).permutation(len(physical))[:20_000])
    latent, physical, latent_untrained = (np.asarray(pairs)[kept] for pairs in (latent, physical, latent_untrained))
    errors = {"trained": abs(latent - physical), "untrained": abs(latent_untrained - physical)}
    # so that both can be seen
    limit = min(np.percentile([*errors.values()], 99), 8 * np.percentile(errors["trained"], 99)) or 1
    panels = [
        Panel(partial(_draw_pairs, latent, physical), 4.2, 4.4),
        Panel(partial(_draw_errors, errors, limit), 4.2, 4.4),
    ]
    caption = (
        "First: each pair of test crops, dashed where equal. Second: how far the two distances differ, dashed at "
        f"medians; the last bar has all above {limit:.0f} mm."
    )
    data = {"physical_mm": physical, "latent_mm": latent, "latent_untrained_mm": latent_untrained}
    return Figure("distances", "Distances between embeddings", caption, panels, data, columns=2)


def _draw_pairs(latent: np.ndarray, physical: np.ndarray, axes) -> None:
    top = 1.02 * np.percentile([latent, physical], 99.9) or 1  # 0 where all crops lie at one place, as of tiny scans
    grid = {"gridsize": 45, "extent": (0, top, 0, top)}
    hexagons = axes.hexbin(physical, latent, **grid, bins="log", mincnt=1, cmap="Blues", linewidths=0.1, vmin=0.5)
    axes.plot([0, top], [0, top], color=INK, lw=1, ls="--", label="equal distances")
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    axes.locator_params(nbins=6)
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    name_axes(axes, "physical distance (mm)", "distance between embeddings (mm)")
    colour_bar(axes, hexagons, "pairs", format="{x:g}")


def _draw_errors(errors: dict[str, np.ndarray], limit: float, axes) -> None:
    for (name, error), colour in zip(errors.items(), (TRAINED, UNTRAINED), strict=True):
        middle, percent = np.median(error), np.full(len(error), 100 / len(error))
        style = {"label": f"{name}, median {middle:.1f} mm", "color": colour, "alpha": 0.6}
        axes.hist(error.clip(max=limit), np.linspace(0, limit, 60), weights=percent, **style)
        axes.axvline(min(middle, limit), color=colour, lw=1.5, ls="--")
    axes.set(xlim=(0, limit), ylim=(0, 1.3 * axes.get_ylim()[1]))
    axes.legend(loc="upper right", framealpha=1, edgecolor="none", fontsize=9)
    name_axes(axes, "difference of the two distances (mm)", "pairs (%)")


def umap_points(embedding: np.ndarray, seed: int) -> np.ndarray | None:
    """UMAP of embeddings [N, D], best at most 2000 of them, to the plane, [N, 2]; None where umap-learn is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        umap, installed = optional_import("umap")
        return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(embedding) if installed else None


def embedding_map_2d(
    name: str, title: str, caption: str, points: np.ndarray, location: np.ndarray, names: tuple[str, str]
) -> Figure:
    """A map of embeddings (points [N, 2]), coloured by where in the body the crops lie (location [N, 3], mm).

    Args:
        name: of the figure; `title` and `caption` are its words.
        points: both have one unit; `names` are those of the two axes.
        location: of the crops.
    """

    def draw(i: int, axes) -> None:
        drawn = dots(axes, points, c=location[:, i], cmap="viridis")
        axes.set_aspect("equal", adjustable="datalim")
        name_axes(axes, *names)
        colour_bar(axes, drawn, f"{AXES[i]} (mm)")

    data = {"first": points[:, 0], "second": points[:, 1]} | _columns(location)
    return Figure(name, title, caption, [Panel(partial(draw, i), 3.8) for i in range(3)], data)


def component_names(shares: np.ndarray) -> list[str]:
    """Of principal components, from the shares of the variance that they have."""
    return [f"{ordinal} component, {share:.0%} of variance" for ordinal, share in zip(ORDINALS, shares, strict=False)]


def principal_components(
    scores: np.ndarray, shares: np.ndarray, location: np.ndarray, fit: np.ndarray, r2: list[str]
) -> Figure:
    """The first three principal components beside the places of the crops.

    Args:
        scores: of the components, [N, 3].
        shares: of the variance, that each has, [3].
        location: of the crops in mm, [N, 3].
        fit: where the three components put the crops, [N, 3] in mm, and
        r2: how well they do, in words, for x, y and z.
    """
    alone = np.corrcoef(scores.T, location.T)[:3, 3:]
    names, across, up = component_names(shares), _limits(location), _limits(scores)

    def draw_component(i: int, axes) -> None:
        axis = abs(alone[i]).argmax()
        dots(axes, np.stack([location[:, axis], scores[:, i]], 1), color=TRAINED)
        axes.set(xlim=across, ylim=up)
        name_axes(axes, f"{AXES[axis]} (mm)", names[i], f"correlation {alone[i, axis]:.2f}")

    def draw_fit(i: int, axes) -> None:
        dots(axes, np.stack([location[:, i], fit[:, i]], 1), color=TRAINED)
        axes.axline((0, 0), slope=1, color=INK, lw=1, ls="--")
        axes.set(xlim=across, ylim=across, aspect="equal")
        name_axes(axes, f"{AXES[i]} (mm)", "placed by three components (mm)", f"R² {r2[i]}")

    panels = [Panel(partial(draw, i), 3.4) for draw in (draw_component, draw_fit) for i in range(3)]
    caption = (
        "First each component, against the direction of the body that it follows most closely. Then where all three "
        "put test crops, by a probe that was fitted on training crops, as in the table; dashed where they lie. Scales "
        "are equal."
    )
    data = {f"component_{i + 1}": scores[:, i] for i in range(3)} | _columns(location) | _columns(fit, "fitted_")
    return Figure("components", "First three principal components", caption, panels, data)


def _limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _columns(location: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    return {f"{prefix}{axis}_mm": location[:, i] for i, axis in enumerate("xyz")}
