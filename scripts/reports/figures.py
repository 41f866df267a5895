"""Pictures of what an encoder has learned, each with the numbers that it draws."""

import warnings
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from monai.utils import optional_import

__all__ = [
    "Figure",
    "box_plot",
    "component_maps",
    "distance_agreement",
    "distances_of_encoders",
    "embedding_map_2d",
    "error_bars",
    "label_curves",
    "loss_curves",
    "principal_components",
    "scan_map",
    "umap_points",
]

TRAINED, UNTRAINED, QUIET, INK = "#0072B2", "#D55E00", "#8A919C", "#24292F"  # told apart by colour-blind people too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#24292F", "#F0E442")  # Okabe and Ito
AXES = ("x, left to right", "y, back to front", "z, foot to head")
PLANES = {"sagittal": "PAIS", "coronal": "LRIS", "axial": "LRPA"}  # left, right, lower and upper edge of the picture


@dataclass(frozen=True)
class Figure:
    """A matplotlib Figure, its words, and the columns of numbers that it draws (none for a map of a scan)."""

    name: str
    title: str
    caption: str
    picture: Any
    data: dict[str, np.ndarray]


def loss_curves(history: dict[str, np.ndarray]) -> Figure:
    """Losses, and each metric of the validation, by epoch.

    Args:
        history: columns of history.csv; nan where an epoch was not validated. `best` is 1 where the weights of an
            epoch were better than ever before, so that those of the last such one are kept.
    """
    told = ("epoch", "train_loss", "validation_loss", "learning_rate", "crops_per_second", "best")
    others = [name for name in history if name not in told]
    epoch, seen = history["epoch"], np.isfinite(history.get("best", np.nan))
    picture, panels = _panels(1, 1 + len(others), height=3.8)
    panels[0].plot(epoch, history["train_loss"], color=QUIET, lw=1.3, label="training")
    for axes, name in zip(panels, ["validation_loss", *others], strict=True):
        if name not in history:
            continue
        axes.plot(epoch[seen], history[name][seen], "o-", color=TRAINED, lw=1.8, ms=3, label="validation")
        axes.locator_params(axis="x", integer=True, nbins=6)
        _label(axes, "epoch", "", name.replace("_", " "))
        for best in np.flatnonzero(history["best"] == 1)[-1:]:
            style = {"ms": 10, "mfc": "none", "mec": UNTRAINED, "mew": 2, "label": f"best, epoch {epoch[best]:.0f}"}
            axes.plot(epoch[best], history[name][best], "o", **style)
    panels[0].set(yscale="log", title="loss")
    panels[0].legend(frameon=False)
    caption = "By epoch, on training and on validation subjects; the weights of the ringed epoch are kept."
    return Figure("loss", "Training", caption, picture, history)


def distance_agreement(latent: np.ndarray, physical: np.ndarray, latent_untrained: np.ndarray) -> Figure:
    """Distances between embeddings against physical distances, of at most 20 000 pairs, drawn by a fixed seed.

    Args:
        latent: distances between embeddings of pairs of crops, read in mm, [P]; `latent_untrained` before training.
        physical: distances between the crops of these pairs in mm, [P].
    """
    kept = np.sort(np.random.RandomState(0).permutation(len(physical))[:20_000])
    latent, physical, latent_untrained = (np.asarray(pairs)[kept] for pairs in (latent, physical, latent_untrained))
    picture, (left, right) = _panels(1, 2, height=4.4)
    top = 1.02 * np.percentile([latent, physical], 99.9)
    grid = {"gridsize": 55, "extent": (0, top, 0, top)}
    hexagons = left.hexbin(physical, latent, **grid, bins="log", mincnt=1, cmap="Blues", linewidths=0.1)
    left.plot([0, top], [0, top], color=INK, lw=1, ls="--", label="equal distances")
    left.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    left.locator_params(nbins=6)
    left.legend(frameon=False, loc="upper left")
    _label(left, "physical distance (mm)", "distance between embeddings")
    picture.colorbar(hexagons, ax=left, label="pairs", format="{x:g}", shrink=0.85).outline.set_visible(False)
    trained, untrained = abs(latent - physical), abs(latent_untrained - physical)
    limit = min(np.percentile([trained, untrained], 99), 8 * np.percentile(trained, 99))  # so that both can be seen
    for name, error, colour in (("trained", trained, TRAINED), ("untrained", untrained, UNTRAINED)):
        middle, percent = np.median(error), np.full(len(error), 100 / len(error))
        style = {"label": f"{name}, median {middle:.1f} mm", "color": colour, "alpha": 0.6}
        right.hist(error.clip(max=limit), np.linspace(0, limit, 70), weights=percent, **style)
        right.axvline(min(middle, limit), color=colour, lw=1.5, ls="--")
    right.set(xlim=(0, limit), ylim=(0, 1.25 * right.get_ylim()[1]))
    right.legend(loc="upper right", framealpha=1, edgecolor="none")
    _label(right, "difference of the two, read in mm", "pairs (%)")
    caption = f"Left: trained, dashed where equal. Right: dashed at medians; the last bar has all above {limit:.0f} mm."
    data = {"physical_mm": physical, "latent_mm": latent, "latent_untrained_mm": latent_untrained}
    return Figure("distances", "Distances between embeddings", caption, picture, data)


def distances_of_encoders(latent: dict[str, np.ndarray], physical: np.ndarray) -> Figure:
    """Distances between embeddings, of each encoder [P], against physical distances [P], of pairs of crops."""
    picture, panels = _panels(1, len(latent), height=3.2)
    for axes, (name, distances) in zip(panels, latent.items(), strict=True):
        top, right = (1.02 * np.percentile(values, 99.9) for values in (distances, physical))
        extent = {"gridsize": 40, "extent": (0, right, 0, top)}
        axes.hexbin(physical, distances, **extent, bins="log", mincnt=1, cmap="Blues", linewidths=0.1)
        axes.plot([0, right], [0, right], color=INK, lw=1, ls="--")
        axes.set(xlim=(0, right), ylim=(0, top))
        _label(axes, "physical (mm)", "between embeddings" if axes is panels[0] else "", name)
    caption = "Distances between embeddings against those between crops, of the same pairs; dashed where equal."
    return Figure("distances", "Distances between embeddings", caption, picture, {})


def umap_points(embedding: np.ndarray, seed: int) -> np.ndarray | None:
    """UMAP of embeddings [N, D], best at most 2000 of them, to the plane, [N, 2]; None where umap-learn is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        umap, installed = optional_import("umap")
        return umap.UMAP(random_state=seed, n_jobs=1).fit_transform(embedding) if installed else None


def embedding_map_2d(name: str, title: str, caption: str, points: np.ndarray, location: np.ndarray) -> Figure:
    """A map of embeddings (points [N, 2]), coloured by where in the body the crops lie (location [N, 3], mm)."""
    picture, panels = _panels(1, 3, height=3.7)
    for i, axes in enumerate(panels):
        dots = axes.scatter(*points.T, c=location[:, i], cmap="viridis", s=7, lw=0)
        axes.set_aspect("equal", adjustable="datalim")
        _label(axes, "first dimension", "second dimension" if i == 0 else "")
        picture.colorbar(dots, ax=axes, location="top", aspect=30, label=f"{AXES[i]} (mm)").outline.set_visible(False)
    return Figure(name, title, caption, picture, {"first": points[:, 0], "second": points[:, 1]} | _columns(location))


def principal_components(scores: np.ndarray, location: np.ndarray) -> Figure:
    """The first three principal components (scores [N, 3], mm) beside the places of the crops (location [N, 3], mm)."""
    picture, panels = _panels(2, 3, height=6.4)
    alone = np.corrcoef(scores.T, location.T)[:3, 3:] ** 2
    centred, mean = scores - scores.mean(0), location.mean(0)
    fit = mean + centred @ np.linalg.lstsq(centred, location - mean, rcond=None)[0]
    together = 1 - (location - fit).var(0) / location.var(0)
    style = {"ms": 3, "mew": 0, "color": TRAINED, "alpha": 0.6}
    for i, (upper, lower) in enumerate(zip(panels[:3], panels[3:], strict=True)):
        axis = alone[i].argmax()
        upper.plot(location[:, axis], scores[:, i], ".", **style)
        _label(upper, f"{AXES[axis]} (mm)", f"component {i + 1}", f"component {i + 1}: R² = {alone[i, axis]:.2f}")
        lower.plot(location[:, i], fit[:, i], ".", **style)
        lower.axline((0, 0), slope=1, color=INK, lw=1, ls="--")
        _label(lower, f"{AXES[i]} (mm)", "fitted (mm)", f"all three together: R² = {together[i]:.2f}")
    caption = (
        "Top: each component against the direction of the body that it follows most closely. Bottom: a linear fit of "
        "position by all three, which undoes their turn against the body; the dashed line is equality."
    )
    data = {f"component_{i + 1}": scores[:, i] for i in range(3)} | _columns(location) | _columns(fit, "fitted_")
    return Figure("components", "First three principal components", caption, picture, data)


def error_bars(errors: dict[str, dict], encoders) -> Figure:
    """Errors side by side.

    Args:
        errors: in mm, by what is measured, then by whose; None where it was not.
        encoders: which of the names are trained encoders; the others are baselines.
    """
    picture, panels = _panels(1, len(errors), height=1 + 0.34 * max(map(len, errors.values())))
    for axes, (label, values) in zip(panels, errors.items(), strict=True):
        known = {name: value for name, value in reversed(values.items()) if value is not None}
        colours = [TRAINED if name in encoders else QUIET for name in known]
        bars = axes.barh(list(known), list(known.values()), color=colours)
        axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=9)
        axes.margins(x=0.15)
        _label(axes, label, "")
    caption = "Errors on the same test crops, of encoders and, in grey, of what they must beat. Shorter is better."
    return Figure("errors", "Errors", caption, picture, {})


def box_plot(name: str, title: str, caption: str, values: dict[str, np.ndarray], baselines) -> Figure:
    """Boxes of values [K] by what they are of, each value as a dot; those of baselines are grey."""
    picture, (axes,) = _panels(1, 1, height=4)
    for place, (label, found) in enumerate(values.items()):
        colour = QUIET if label in baselines else TRAINED
        style = {"boxprops": {"color": colour}, "medianprops": {"color": colour}, "whiskerprops": {"color": colour}}
        axes.boxplot(
            found[np.isfinite(found)], positions=[place], widths=0.5, showfliers=False, showcaps=False, **style
        )
        axes.plot(place + np.linspace(-0.15, 0.15, len(found)), found, "o", ms=3, color=colour, alpha=0.6)
    axes.set_xticks(range(len(values)), list(values), rotation=20 if len(values) > 6 else 0)
    _label(axes, "", title)
    return Figure(name, title, caption, picture, dict(values))


def label_curves(name: str, title: str, shares: np.ndarray, values: dict[str, np.ndarray], baselines) -> Figure:
    """Mean over folds of a metric against the share of training subjects that have labels.

    Args:
        name: of the figure; `title` of its axis.
        shares: from 0 to 1, [S].
        values: of each classifier, [S, K] over K folds.
        baselines: which of the names are drawn dashed and grey.
    """
    picture, (axes,) = _panels(1, 1, height=4.2)
    known = {name: {"color": QUIET, "ls": "--", "marker": marker} for name, marker in zip(baselines, cycle("sD^v"))}
    colours = cycle(COLOURS)
    for label, folds in values.items():
        number = folds.shape[1]  # of which all but two train: Nadeau and Bengio's variance of the mean
        mean, error = np.nanmean(folds, 1), np.nanstd(folds, 1, ddof=1) * np.sqrt(1 / number + 1 / (number - 2))
        style = known.get(label) or {"color": next(colours), "marker": "o"}
        axes.errorbar(100 * shares, mean, error, ms=4, capsize=2, lw=1.6, label=label, **style)
    axes.set(xscale="log", xticks=100 * shares, xticklabels=[f"{100 * share:g}" for share in shares])
    axes.minorticks_off()
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    _label(axes, "training subjects with labels (%)", title)
    caption = (
        f"Mean {title} over folds, with its standard error as Nadeau and Bengio correct it, at nested shares of the "
        "training subjects; the fold that validates has all its labels."
    )
    data = {"share": shares} | {label: np.nanmean(folds, 1) for label, folds in values.items()}
    return Figure(name, "Label efficiency", caption, picture, data)


def component_maps(scores: dict[str, np.ndarray], location: np.ndarray) -> Figure:
    """Two principal components of each encoder's embeddings ([N, 2 or more]), coloured by location ([N, 3], mm)."""
    picture, panels = _panels(len(scores), 3, height=2.6 * len(scores) + 0.6)
    for row, (name, points) in enumerate(scores.items()):
        for i in range(3):
            axes = panels[3 * row + i]
            dots = axes.scatter(*points.T[:2], c=location[:, i], cmap="viridis", s=5, lw=0)
            axes.set(xticks=[], yticks=[])
            axes.set_aspect("equal", adjustable="datalim")
            _label(axes, "", name if i == 0 else "")
            if row == 0:
                bar = picture.colorbar(dots, ax=axes, location="top", aspect=30, label=f"{AXES[i]} (mm)")
                bar.outline.set_visible(False)
    caption = (
        "The first two principal components of the embeddings of the same test crops, coloured by where each lies."
    )
    return Figure("maps", "Maps of the body", caption, picture, {})


def scan_map(image: np.ndarray, rgb: np.ndarray, spacing_mm: float | tuple) -> Figure:
    """A scan's middle slices, and over them the colours of the embeddings.

    Args:
        image: intensities in [-1, 1] (others are clipped), RAS orientation, [X, Y, Z]; `rgb` in [0, 1], [3, X, Y, Z].
        spacing_mm: of the voxels, one for all directions or one each.
    """
    grey = np.clip((np.asarray(image) + 1) / 2, 0, 1)
    colour = np.clip(rgb, 0, 1) * grey**0.6  # darkened by the scan, so that anatomy shows through
    half = np.array(grey.shape) * spacing_mm / 2
    picture, panels = _panels(2, 3, height=6.3)
    for i, (plane, letters) in enumerate(PLANES.items()):
        across, up = (axis for axis in range(3) if axis != i)
        extent, middle = (-half[across], half[across], -half[up], half[up]), grey.shape[i] // 2
        for axes, pixels in ((panels[i], grey.take(middle, i)), (panels[i + 3], colour.take(middle, i + 1))):
            axes.imshow(pixels.T, cmap="gray", vmin=0, vmax=1, origin="lower", extent=extent)
            _frame(axes, half.max(), letters)
        panels[i].set_title(plane, fontsize=10)
    caption = (
        "Middle slices of a scan; below, coloured by the first three principal components of the embeddings of crops "
        "around each point, as red, green and blue. L, R, A, P, S, I: left, right, front, back, head, foot."
    )
    return Figure("scan", "Embeddings over a scan", caption, picture, {})


def _frame(axes, half: float, letters: str) -> None:
    """Black square a little larger than a scan of 2 * `half` mm, with the letters of its edges and a scale bar."""
    bar, edge, limits = 50 if half > 50 else 10, 1.06 * half, (-1.12 * half, 1.12 * half)
    axes.set(xlim=limits, ylim=limits, xticks=[], yticks=[], facecolor="black")
    style = {"color": "white", "ha": "center"}
    for letter, place in zip(letters, ((-edge, 0), (edge, 0), (0, -edge), (0, edge)), strict=True):
        axes.text(*place, letter, **style, va="center", fontsize=9)
    axes.plot([edge - bar, edge], [-edge, -edge], color="white", lw=2)
    axes.text(edge - bar / 2, -1.03 * half, f"{bar} mm", **style, va="bottom", fontsize=8)


def _panels(rows: int, columns: int, height: float) -> tuple:
    """A figure of its own (pyplot would keep it alive) and its axes."""
    import matplotlib.figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    picture = matplotlib.figure.Figure(figsize=(9.4, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    return picture, picture.subplots(rows, columns, squeeze=False).ravel()


def _label(axes, across: str, up: str, title: str = "") -> None:
    axes.set(xlabel=across, ylabel=up, axisbelow=True)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="both", color="#E3E6EA", lw=0.6)


def _columns(location: np.ndarray, prefix: str = "") -> dict[str, np.ndarray]:
    return {f"{prefix}{axis}_mm": location[:, i] for i, axis in enumerate("xyz")}
