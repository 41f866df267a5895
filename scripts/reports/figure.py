"""A figure: panels that stand side by side in a file, and one below the other on a narrow page."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = [
    "AXES",
    "COLOURS",
    "INK",
    "QUIET",
    "TRAINED",
    "UNTRAINED",
    "Figure",
    "Panel",
    "colour_bar",
    "dots",
    "name_axes",
]

TRAINED, UNTRAINED, QUIET, INK = "#0072B2", "#D55E00", "#8A919C", "#24292F"  # told apart by colour-blind people too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#24292F", "#F0E442")  # Okabe and Ito
AXES = ("x, left to right", "y, back to front", "z, foot to head")


@dataclass(frozen=True)
class Panel:
    """What draws on a matplotlib Axes, and how large the paper is, in inches.

    Attributes:
        draw: on the axes.
        left: room beside them; None where only a layout engine knows, which takes longer than all else together.
    """

    draw: Callable[[Any], object]
    height: float = 3.2
    width: float = 3.4
    left: float | None = 0.75


@dataclass(frozen=True)
class Figure:
    """Panels and their words.

    Attributes:
        name: of its files.
        data: the columns of numbers that it draws; none for a map of a scan.
        columns: panels in a row, where there is room.
    """

    name: str
    title: str
    caption: str
    panels: list[Panel]
    data: dict[str, np.ndarray]
    columns: int = 3

    @cached_property
    def picture(self) -> Any:
        """All panels in one matplotlib Figure."""
        rows, first = -(-len(self.panels) // self.columns), self.panels[0]
        picture = _laid_out(self.columns * first.width, rows * first.height)
        for place, panel in enumerate(self.panels, 1):
            panel.draw(picture.add_subplot(rows, self.columns, place))
        return picture

    def png(self) -> bytes:
        """All panels in one picture."""
        return _saved(self.picture, format="png", dpi=130)

    def svgs(self) -> list[bytes]:
        """Each panel in a picture of its own; the same bytes each time."""
        from matplotlib import rc_context

        with rc_context({"svg.hashsalt": self.name}):
            return [_svg(panel) for panel in self.panels]


def name_axes(axes, across: str, up: str, title: str = "") -> None:
    """Name both axes, and give them a quiet grid."""
    axes.set(xlabel=across, ylabel=up, axisbelow=True)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(which="both", color="#E3E6EA", lw=0.6)


def dots(axes, points: np.ndarray, **style: Any) -> Any:
    """Dots at points [N, 2], the larger the fewer they are; as pixels, since thousands of them are slow as shapes."""
    size = float(np.clip(6000 / len(points), 7, 40))
    return axes.scatter(*points.T, s=size, lw=size / 60, edgecolors=INK, alpha=0.85, rasterized=True, **style)


def colour_bar(axes, drawn, label: str, **style: Any) -> None:
    """What the colours mean, above the panel."""
    bar = axes.figure.colorbar(drawn, ax=axes, location="top", aspect=30, label=label, **style)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)


def _laid_out(width: float, height: float) -> Any:
    """A matplotlib Figure; pyplot would keep it alive."""
    import matplotlib.figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return matplotlib.figure.Figure((width, height), layout=ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08))


def _with_margins(width: float, height: float, left: float) -> Any:
    import matplotlib.figure

    sheet = matplotlib.figure.Figure((width, height))
    sheet.subplots_adjust(left / width, 0.55 / height, 1 - 0.12 / width, 1 - 0.35 / height)
    return sheet


def _svg(panel: Panel) -> bytes:
    size = (panel.width, panel.height)
    sheet = _laid_out(*size) if panel.left is None else _with_margins(*size, panel.left)
    panel.draw(sheet.add_subplot())
    return _saved(sheet, format="svg", dpi=200, metadata={"Date": None})


def _saved(picture, **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.savefig(buffer, **how)
    return buffer.getvalue()
