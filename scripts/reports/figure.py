"""A figure: panels that stand side by side in a file, and one below the other on a narrow page."""

import io
from collections.abc import Callable, Iterable
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
    """What draws on a matplotlib Axes, and how large the paper is, in inches, with the room `left` of the axes."""

    draw: Callable[[Any], object]
    height: float = 3.2
    width: float = 3.4
    left: float = 0.75


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
        import matplotlib.figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        rows, first = -(-len(self.panels) // self.columns), self.panels[0]
        size, layout = (
            (self.columns * first.width, rows * first.height),
            ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08),
        )
        picture = matplotlib.figure.Figure(size, layout=layout)  # pyplot would keep it alive
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


def room_for(names: Iterable[str]) -> float:
    """Inches that names of 10 points take, beside axes."""
    return 0.3 + 0.085 * max(map(len, names), default=0)


def colour_bar(axes, drawn, label: str, **style: Any) -> None:
    """What the colours mean, above the panel."""
    bar = axes.figure.colorbar(drawn, ax=axes, location="top", aspect=30, label=label, **style)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=9)


def _svg(panel: Panel) -> bytes:
    """With fixed margins: a layout engine takes longer than all else together."""
    import matplotlib.figure

    sheet = matplotlib.figure.Figure((panel.width, panel.height))
    sheet.subplots_adjust(
        panel.left / panel.width, 0.55 / panel.height, 1 - 0.12 / panel.width, 1 - 0.35 / panel.height
    )
    panel.draw(sheet.add_subplot())
    return _saved(sheet, format="svg", dpi=200, metadata={"Date": None})


def _saved(picture, **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.savefig(buffer, **how)
    return buffer.getvalue()
