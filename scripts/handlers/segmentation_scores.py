"""How far segmentations agree with label maps, in each scan's own grid: a line a scan and class, and means of all."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from ignite.engine import Engine, Events

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.structures import Structures
from ..errors import InputError, require_package
from ..metrics.segmentation import is_in_region, region_dice, region_surface_distance

__all__ = ["SegmentationScores"]

logger = logging.getLogger(__name__)

Line = tuple[str, str, str, float, float, bool]  # image, subject, class, Dice, distance in mm, any of it found


class SegmentationScores:
    """Writes scores.csv and metrics.json when all scans are segmented.

    scores.csv has the columns image, subject, class, dice and surface_distance_mm. A class is a region here, which may
    be the union of several. One that a scan's label map does not have is left out, and a distance is empty where the
    class was not found. metrics.json has `dice`, the mean over scans of the mean over a scan's classes; `dice_NAME` of
    each class; `surface_distance_mm`, likewise, of classes that were found; `not_found`, of how many lines no voxel
    was; and the numbers of `scans` and `subjects`.

    Args:
        output_dir: where the files go.
        regions: as `regions_of_classes` makes them.
    """

    def __init__(self, output_dir: str, regions: Structures) -> None:
        self.output_dir, self.regions = Path(output_dir), regions
        self.lines: list[Line] = []

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `pred` and `label` [1, X, Y, Z], numbers."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._score)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)  # COMPLETED is for who adds to metrics.json

    def _begin(self) -> None:
        self.lines, self.has_distances = [], True
        try:
            require_package("scipy", "The distance between surfaces")
        except InputError as error:
            self.has_distances = False
            logger.warning(f"Not measured: surface_distance_mm. {error}")

    def _score(self, engine: Engine) -> None:
        (scan,), (output,) = engine.state.batch, engine.state.output
        affine, source = output["label"].affine, scan["image"].meta["filename_or_obj"]
        found, label = (output[key].as_tensor()[0].cpu() for key in ("pred", "label"))
        spacing = affine[:3, :3].norm(dim=0).tolist()
        for name, region in zip(self.regions.names, self.regions.values, strict=True):
            if not np.isnan(dice := region_dice(found, label, region)):
                distance = region_surface_distance(found, label, region, spacing) if self.has_distances else np.nan
                is_found = bool(is_in_region(found, region).any())
                self.lines.append((source, scan["subject"], name, dice, distance, is_found))

    def _write(self) -> None:
        header = ["image", "subject", "class", "dice", "surface_distance_mm"]
        rows = [[*line[:4], None if np.isnan(line[4]) else line[4]] for line in self.lines]
        write_csv_atomically(self.output_dir / "scores.csv", [header, *rows])
        metrics = self._metrics()
        write_json_atomically(self.output_dir / "metrics.json", metrics)
        said = {name: value for name, value in metrics.items() if isinstance(value, float)}
        logger.info("Test scans: " + ", ".join(f"{name} {value:.3g}" for name, value in said.items()))

    def _metrics(self) -> dict[str, float | int | None]:
        metrics: dict[str, float | int | None] = {"dice": _mean_of_scans((line[0], line[3]) for line in self.lines)}
        for name in self.regions.names:
            metrics[f"dice_{name}"] = _mean(line[3] for line in self.lines if line[2] == name)
        if self.has_distances:
            metrics["surface_distance_mm"] = _mean_of_scans((line[0], line[4]) for line in self.lines)
        metrics["not_found"] = sum(not line[5] for line in self.lines)
        metrics["scans"] = len({line[0] for line in self.lines})
        return metrics | {"subjects": len({line[1] for line in self.lines})}


def _mean_of_scans(values: Iterable[tuple[str, float]]) -> float | None:
    """The mean over scans of the mean over each one's values."""
    of_scans = defaultdict[str, list[float]](list)
    for scan, value in values:
        of_scans[scan].append(value)
    return _mean(mean for one in of_scans.values() if (mean := _mean(one)) is not None)


def _mean(values: Iterable[float]) -> float | None:
    """Of those that are numbers; None where there are none."""
    numbers = torch.tensor([value for value in values if not np.isnan(value)], dtype=torch.float64)
    return float(numbers.mean()) if len(numbers) else None
