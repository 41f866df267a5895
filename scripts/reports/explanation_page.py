"""The page about explanations: how similar scans and tables are, which columns matter, and where in scans."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from monai.utils import optional_import

from ..evaluation.explanation_tables import ColumnFigures
from ..handlers.save_explained import ExplainedScan
from .explanation_figures import columns_figure, scan_figure
from .head import made, read_settings
from .page import write_page

__all__ = ["write_explanation_page"]

logger = logging.getLogger(__name__)


def write_explanation_page(
    metrics: dict, figures: Mapping[str, ColumnFigures], scans: Sequence[ExplainedScan], output_dir: str
) -> None:
    """Write explained.html and its figures.

    Args:
        metrics: of `write_explanations`.
        figures: of columns, by the ending of the model.
        scans: with their maps.
        output_dir: where they go, beside the settings that `record_settings` wrote.
    """
    if not optional_import("matplotlib")[1]:
        logger.warning("Without matplotlib there is no page: pip install matplotlib.")
        return
    folder = Path(output_dir)
    settings = read_settings(folder / "explain_config.json")
    facts = {
        "data": str(settings.get("dataset_dir") or "a synthetic cohort"),
        "encoder": str(settings.get("encoder", "")),
        "control": str(settings.get("beside") or ""),
        "table": settings.get("table") or ", ".join(dict.fromkeys(table for table, _ in figures[""].mean)),
        "column": settings.get("column") or "",
        "persons": str(metrics["persons"]),
    }
    write_page(
        folder / "explained.html",
        "explanation.html",
        [columns_figure(figures), *(scan_figure(scan, i) for i, scan in enumerate(scans, 1))],
        {"settings": settings} if settings else {},
        title="Which voxels, which columns",
        facts={name: fact for name, fact in facts.items() if fact} | made(settings),
        metrics=metrics,
        rows={"the encoder": "", "the control": "_shuffled"} if "_shuffled" in figures else {"the encoder": ""},
        scans=scans,
        column=settings.get("column"),
    )
