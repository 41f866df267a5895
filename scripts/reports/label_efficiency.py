"""How well segmentation does with few labels, from several encoders: one table and one page of many trainings."""

import argparse
from functools import partial
from pathlib import Path

from monai.utils import optional_import

from ..atomic import write_csv_atomically, write_json_atomically
from ..errors import report_input_errors
from .efficiency_metrics import efficiency_metrics
from .efficiency_results import EfficiencyResults
from .figure import Figure, Panel
from .head import made
from .page import write_page
from .read_efficiency import read_efficiency
from .share_curves import Curve, draw_curves

__all__ = ["write_label_efficiency"]


def write_label_efficiency(output_dir: str | Path, results: EfficiencyResults) -> Path:
    """Write label_efficiency.csv (the scores), differences.csv (the tests), metrics.json, and label_efficiency.html.

    Returns:
        The path of the page; without matplotlib, which it needs, that of the scores.
    """
    table = Path(output_dir) / "label_efficiency.csv"
    scores = results.scores.drop(columns="surface_distance_mm")
    write_csv_atomically(table, [[*scores.columns], *scores.to_numpy().tolist()])
    header = ["encoder", "other", "label_share", *next(iter(results.tests.values()), {})]
    tests = ([*which, *test.values()] for which, test in results.tests.items())
    write_csv_atomically(table.with_name("differences.csv"), [header, *tests])
    write_json_atomically(table.with_name("metrics.json"), efficiency_metrics(results))
    if not optional_import("matplotlib")[1]:
        return table
    facts = {
        "test subjects": results.subjects,
        "classes": ", ".join(results.classes),
        "trainings": f"{results.repeats} with each encoder and share, which draw other training subjects",
    }
    content = {"title": "Label efficiency", "facts": facts | made({}), "results": results}
    return write_page(table.with_suffix(".html"), "efficiency.html", efficiency_figures(results), {}, **content)


def efficiency_figures(results: EfficiencyResults) -> list[Figure]:
    """Curves of the mean over classes and, where there are several, of each."""
    caption = (
        f"Mean Dice coefficient of {results.subjects} test subjects after training on nested shares of others, with "
        f"intervals of 95 % by subject; dots are its {results.repeats} repeats; dashed, what an encoder must beat."
    )
    mean = _figure("label_efficiency", "Label efficiency", caption, results, {"Dice coefficient": results.curves()})
    if len(results.classes) == 1:
        return [mean]
    of_classes = {f"Dice coefficient, {name}": results.curves(name) for name in results.classes}
    return [mean, _figure("classes", "Each class", "The same, of each class by itself.", results, of_classes)]


def _figure(
    name: str, title: str, caption: str, results: EfficiencyResults, panels: dict[str, dict[str, Curve]]
) -> Figure:
    """A Figure of panels of curves, by what these show."""
    draw = partial(draw_curves, results.shares)
    size = (3.2 + 0.2 * len(results.names), 4)
    drawn = [Panel(partial(draw, curves, results.baselines, what), *size, left=None) for what, curves in panels.items()]
    data = {
        f"{what}, {encoder}, {part}".replace(", ", " "): getattr(curve, part)
        for what, curves in panels.items()
        for encoder, curve in curves.items()
        for part in ("mean", "low", "high")
    }
    return Figure(name, title, caption, drawn, {"share": results.shares} | data, columns=min(2, len(panels)))


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.reports.label_efficiency", description=__doc__)
    parser.add_argument("output_dir", help="folder to write to")
    parser.add_argument("runs", nargs="+", help="folders of trainings of organ_segmentation")
    given = parser.parse_args()
    print(f"Label efficiency: {write_label_efficiency(given.output_dir, read_efficiency(given.runs))}")
