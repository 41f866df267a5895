"""Of each labelled scan: whether maps of uncertainty rank its wrong voxels first."""

import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from ignite.engine import Engine, Events
from monai.data import MetaTensor

from ..atomic import write_csv_atomically
from ..metrics.error_detection import error_detection
from .add_metrics import add_metrics
from .scan_files import free_name

__all__ = ["SaveErrorDetection"]

logger = logging.getLogger(__name__)


class SaveErrorDetection:
    """Writes a line to error_detection.csv after each scan that has a label map, and their means to metrics.json.

    Its columns are image, subject, error_rate (share of voxels where segmentation and label differ), and for each map
    MAP_auroc and MAP_average_precision, of finding those voxels by it; they are empty where nothing is wrong. In
    metrics.json each is its mean over the scans that have it.

    Args:
        output_dir: where the table goes.
        maps: keys of the output, [1, X, Y, Z] each.
        label: key of the label map, in the output or in the scan's item.
    """

    def __init__(
        self, output_dir: str, maps: Sequence[str] = ("entropy", "mutual_information"), label: str = "label"
    ) -> None:
        self.output_dir, self.maps, self.label = Path(output_dir), list(maps), label
        self.columns = [f"{key}_{area}" for key in self.maps for area in ("auroc", "average_precision")]
        self.done: dict[str, list] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `pred` and label map [1, X, Y, Z]."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._save)
        engine.add_event_handler(Events.COMPLETED, self._add_means)

    def _save(self, engine: Engine) -> None:
        (scan_read,), (found,) = engine.state.batch, engine.state.output
        item = {**scan_read, **found}
        if not isinstance(label := item.get(self.label), MetaTensor):
            return
        source, subject = scan_read["image"].meta["filename_or_obj"], scan_read["subject"]
        wrong = item["pred"].as_tensor().cpu() != label.as_tensor().cpu()
        detected = [error_detection(item[key].as_tensor().cpu(), wrong) for key in self.maps]
        figures = [_or_empty(area) for one in detected for area in (one.auroc, one.average_precision)]
        name = free_name(subject, source, self.done)
        self.done[name] = [source, subject, round(float(wrong.double().mean()), 6), *figures]
        header = ["image", "subject", "error_rate", *self.columns]
        write_csv_atomically(self.output_dir / "error_detection.csv", [header, *self.done.values()])
        said = ", ".join(f"{column} {area}" for column, area in zip(self.columns, figures, strict=True))
        logger.info(f"{name}: {said}")

    def _add_means(self) -> None:
        if self.done:
            areas = zip(*(line[3:] for line in self.done.values()), strict=True)
            add_metrics(self.output_dir, dict(zip(self.columns, map(_mean, areas), strict=True)))


def _or_empty(area: float) -> float | str:
    return "" if math.isnan(area) else round(area, 6)


def _mean(areas: Iterable[float | str]) -> float:
    known = [area for area in areas if isinstance(area, float)]
    return sum(known) / len(known) if known else math.nan
