"""What is known of landmarks that are found where the truth is known."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.landmarks import MarkedScan, landmark_names
from ..errors import InputError, some
from ..evaluation.landmark_errors import LandmarkError, calibrate, landmark_metrics
from ..landmarks.body_box import place_in_box, share_of_box
from ..landmarks.reference import to_voxels

__all__ = ["SaveLandmarkErrors"]

logger = logging.getLogger(__name__)


class SaveLandmarkErrors:
    """Writes landmark_errors.csv, metrics.json and calibration.csv when all scans are done.

    Scans in which landmarks are marked are no test, and are left out; so are landmarks that the truth does not have.
    Without scikit-learn there is no calibration.csv, and the log says so.

    Args:
        output_dir: where the files go.
        marked: scans in which the landmarks are marked.
        truth: where they are in the others.
        preprocessing: of an item with its `image`, to the body's box.
        scans: items, with their `image`, in which landmarks are sought; None: whatever the engine is given.

    Raises:
        InputError: there is nothing to compare: no other scans, none in which landmarks are sought, or no names in
            common.
    """

    def __init__(
        self,
        output_dir: str,
        marked: Sequence[MarkedScan],
        truth: Sequence[MarkedScan],
        preprocessing: Callable,
        scans: Sequence[Mapping] | None = None,
    ) -> None:
        self.output_dir, self.marked, self.preprocessing = Path(output_dir), marked, preprocessing
        self.names = landmark_names(marked)
        own = {os.path.realpath(scan.image) for scan in marked}
        self.truth = {path: scan for scan in truth if (path := os.path.realpath(scan.image)) not in own}
        if not self.truth:
            raise InputError("All scans of truth are marked in landmarks: give truth others, to test on.")
        sought = self.truth if scans is None else {os.path.realpath(scan["image"]) for scan in scans}
        self.truth = {path: scan for path, scan in self.truth.items() if path in sought}
        if not self.truth:
            raise InputError("None of the scans of truth is in dataset_dir: give dataset_dir the folder that has them.")
        if not {mark.name for scan in self.truth.values() for mark in scan.landmarks} & set(self.names):
            raise InputError(f"truth has none of {some(self.names)}, which landmarks names: give them the same names.")
        self.errors: list[LandmarkError] = []
        self.shares: dict[str, torch.Tensor] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator whose batches are single scans, with `landmarks` [K, 4]."""
        engine.add_event_handler(Events.STARTED, self._measure_marked)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._compare)
        engine.add_event_handler(Events.COMPLETED, self._save)

    def _measure_marked(self) -> None:
        """Where in the body's box landmarks are marked, as shares of its sides: the median of all scans."""
        shares: dict[str, list[torch.Tensor]] = {name: [] for name in self.names}
        for scan in self.marked:
            image = self.preprocessing({"image": scan.image})["image"]
            for name, place in _places(scan, image):
                shares[name].append(share_of_box(place, image))
        self.shares = {name: torch.stack(those).quantile(0.5, dim=0) for name, those in shares.items()}

    def _compare(self, engine: Engine) -> None:
        (batch,), (output,) = engine.state.batch, engine.state.output
        image = batch["image"]
        source = image.meta["filename_or_obj"]
        scan = self.truth.get(os.path.realpath(source))
        if scan is None:
            return
        found = dict(zip(self.names, output["landmarks"].double().cpu(), strict=True))
        spacing = torch.as_tensor(image.affine, dtype=torch.float64).cpu()[:3, :3].norm(dim=0)
        for name, place in _places(scan, image):
            if name in found:
                in_box = place_in_box(self.shares[name], image)
                off = [float(((there - place) * spacing).norm()) for there in (found[name][:3], in_box)]
                self.errors.append(LandmarkError(source, name, float(found[name][3]), *off))

    def _save(self) -> None:
        metrics = landmark_metrics(self.errors)
        write_csv_atomically(self.output_dir / "landmark_errors.csv", [LandmarkError._fields, *self.errors])
        write_json_atomically(self.output_dir / "metrics.json", metrics)
        off, in_box, missed = (metrics[name] for name in ("landmark_error_mm", "landmark_error_mm_box", "not_found"))
        logger.info(
            f"Landmarks of {metrics['scans']} scans: off by {off:.1f} mm (the same place in the body's box: "
            f"{in_box:.1f}); {100 * missed:.1f} % not found."
        )
        self._save_calibration()

    def _save_calibration(self) -> None:
        if find_spec("sklearn") is None:
            logger.info(
                "There is no calibration.csv, which needs scikit-learn: pip install scikit-learn, and evaluate again."
            )
        elif steps := calibrate(self.errors):
            write_csv_atomically(self.output_dir / "calibration.csv", [("confidence", "expected_error_mm"), *steps])
        else:
            logger.info("There is no calibration.csv, for which 20 landmarks have to be found: give more scans.")


def _places(scan: MarkedScan, image: MetaTensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Names, and places in voxels of an image, [3]."""
    points = torch.tensor([mark.point for mark in scan.landmarks], dtype=torch.float64)
    return zip((mark.name for mark in scan.landmarks), to_voxels(image, points), strict=True)
