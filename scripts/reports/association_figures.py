"""Figures of associations: where on a genome, or in a table, they lie, and whether there are more than by chance."""

import re

import numpy as np

from ..evaluation.associations import SURE, Associations
from .figure import INK, QUIET, TRAINED, Figure, Panel, dots, name_axes

__all__ = ["chance_figure", "place_of", "places_figure"]

PLACE = re.compile(r"(?:^|[^0-9A-Za-z])(?:chr)?(\d{1,2}|X|Y|XY|MT?):(\d+)", re.IGNORECASE)
LAST = {"X": 23, "Y": 24, "XY": 25, "M": 26, "MT": 26}  # as PLINK numbers them
SMALLEST = 1e-300


def place_of(column: str) -> tuple[int, int] | None:
    """Chromosome and position in the name of a variant.

    Example:
        >>> place_of("rs123 chr2:7500_A"), place_of("X:100_C"), place_of("age")
        ((2, 7500), (23, 100), None)
    """
    match = PLACE.search(column)
    if match is None:
        return None
    chromosome = match[1].upper()
    return LAST.get(chromosome) or int(chromosome), int(match[2])


def places_figure(found: Associations, table: list[str], column: list[str]) -> Figure:
    """The smallest p of each column over all components: a Manhattan plot.

    Args:
        found: of the encoder.
        table: of each column, its table's name; column: its own.
    """
    groups, order = _groups(table, column)
    tested = found.tests.left_out[order] == ""
    order, names = order[tested], [name for name, kept in zip(groups, tested, strict=True) if kept]
    height = -np.log10(np.maximum(np.nanmin(found.tests.p[order], axis=1), SMALLEST))
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    number = np.cumsum(np.isin(np.arange(len(names)), starts)) - 1
    threshold = -np.log10(SURE / found.number)

    def draw(axes) -> None:
        colours = np.where(number % 2 == 0, TRAINED, QUIET)
        dots(axes, np.column_stack([np.arange(len(height)), height]), c=colours)
        axes.axhline(threshold, color=INK, lw=1, ls="--")
        ends = [*starts[1:], len(names)]
        axes.set_xticks([(a + b - 1) / 2 for a, b in zip(starts, ends, strict=True)], [names[i] for i in starts])
        axes.tick_params(axis="x", labelsize=7, length=0, rotation=0 if len(starts) < 30 else 90)
        name_axes(axes, "", "-log10 of the smallest p")
        axes.grid(axis="x", visible=False)

    caption = (
        f"Each column of the tables, with the smallest p of its tests with {found.tests.p.shape[1]} components; "
        "genotypes in the order of chromosomes and positions, all else in that of its table. Above the line, p is "
        f"below {SURE:.0%} when it is corrected for all {found.number} tests (Bonferroni)."
    )
    data = {"place": np.arange(len(height)), "group": number, "minus_log10_p": height}
    return Figure("places", "Where associations lie", caption, [Panel(draw, 3.2, 6.4, left=None)], data, columns=1)


def chance_figure(found: Associations) -> Figure:
    """p of all tests beside those that chance would give: a QQ plot."""
    p = np.sort(found.tests.p[np.isfinite(found.tests.p)])
    seen = -np.log10(np.maximum(p, SMALLEST))
    chance = -np.log10((np.arange(len(p)) + 0.5) / len(p))

    def draw(axes) -> None:
        axes.plot([0, chance[0]], [0, chance[0]], color=QUIET, lw=1)
        dots(axes, np.column_stack([chance, seen]), c=TRAINED)
        name_axes(axes, "-log10 p of chance", "-log10 p")

    caption = (
        f"All {found.number} tests. On the line, tests are as chance makes them; inflation, the median chi² over that "
        f"of chance, is {found.inflation:.3f}."
    )
    data = {"chance": chance, "minus_log10_p": seen}
    return Figure("chance", "More than by chance?", caption, [Panel(draw, 4, 4.4, left=None)], data, columns=1)


def _groups(table: list[str], column: list[str]) -> tuple[list[str], np.ndarray]:
    """The order in which columns are drawn, and in it the name of the group of each: a chromosome, or a table."""
    names, order = np.array(["" for _ in table], object), []
    for name in dict.fromkeys(table):
        own = [i for i, other in enumerate(table) if other == name]
        places = {i: place for i in own if (place := place_of(column[i]))}
        names[own] = name
        if len(places) == len(own):
            own.sort(key=places.__getitem__)
            for i in own:
                names[i] = str(places[i][0])
        order += own
    return names[order].tolist(), np.array(order)
