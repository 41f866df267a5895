"""How near images that were made are to real ones, in each scan's own grid and in its body."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor

from ..atomic import write_csv_atomically, write_json_atomically
from ..data.names.modalities import modality_name
from ..errors import InputError, counted
from ..metrics.subject_means import subject_means
from ..metrics.translation import image_scores, tissue_errors
from ..transforms.foreground import inside_body

__all__ = ["Translated", "TranslationScores"]

logger = logging.getLogger(__name__)

MADE = ("", "_mean_image", "_voxelwise")  # behind a score's name: what was scored, by the channels
SHOWN = 12  # scans, of the page


@dataclass(frozen=True)
class Translated:
    """A scan as it is shown: images [1, X, Y, Z], each in its own unit."""

    case: str
    source: MetaTensor
    target: MetaTensor
    made: MetaTensor
    scores: Mapping[str, float]


class TranslationScores:
    """Writes scores.csv, metrics.json and a page when all scans are made.

    scores.csv has a line a scan: image, subject, and its scores, those of `image_scores`, of a CT those of
    `tissue_errors` too, of what the network made, and with _mean_image and _voxelwise behind them of the baselines.
    metrics.json has the means over scans, with their 95 % intervals over subjects (NAME_low, NAME_high), both
    modalities, the range, and the numbers of `scans` and `subjects`. What counts is the body of the source, with all
    that it encloses, as far as the target covers it.

    Args:
        output_dir: where the files go.
        source, target: modalities.
        target_range: of the target, in its unit.
        write_page: writes a page of scans to a path.
    """

    def __init__(
        self, output_dir: str, source: str, target: str, target_range: tuple[float, float], write_page: Callable
    ) -> None:
        self.output_dir, self.write_page = Path(output_dir), write_page
        self.facts = {"source": source, "target": target, "target_range": list(target_range)}
        self.measures_tissues, (self.low, self.high) = modality_name(target) == "ct", target_range

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI evaluator of single scans, with `pred`, `source`, `target` and `covered` on one grid."""
        engine.add_event_handler(Events.STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._score)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _begin(self) -> None:
        self.scans: list[tuple[str, str]] = []  # path and subject
        self.scores: list[dict[str, float]] = []
        self.shown: list[Translated] = []

    def _score(self, engine: Engine) -> None:
        (scan,), (output,) = engine.state.batch, engine.state.output
        source, target, made = scan["source"].cpu(), scan["target"].cpu(), output["pred"].cpu()
        region = inside_body(source.as_tensor()) & (scan["covered"].as_tensor()[0].cpu() > 0)
        if not region.any():
            raise InputError(
                f"The {self.facts['target']} of {scan['case']} shows nothing of the body in its "
                f"{self.facts['source']}: give registered images, or leave this case out."
            )
        scores = {
            f"{name}{which}": value
            for which, image in zip(MADE, made.as_tensor(), strict=False)
            for name, value in self._scores(image, target.as_tensor()[0], region).items()
        }
        self.scans.append((source.meta["filename_or_obj"], scan["subject"]))
        self.scores.append(scores)
        if len(self.shown) < SHOWN:
            self.shown.append(Translated(scan["case"], source, target, made[:1], scores))

    def _scores(self, made: torch.Tensor, real: torch.Tensor, region: torch.Tensor) -> dict[str, float]:
        tissues = tissue_errors(made, real, region) if self.measures_tissues else {}
        return image_scores(made, real, region, self.low, self.high) | tissues

    def _write(self) -> None:
        names = list(self.scores[0])
        rows = [[*scan, *(one[name] for name in names)] for scan, one in zip(self.scans, self.scores, strict=True)]
        write_csv_atomically(self.output_dir / "scores.csv", [["image", "subject", *names], *rows])
        subjects = [subject for _, subject in self.scans]
        numbers = {"scans": len(rows), "subjects": len(set(subjects))}
        metrics = subject_means(subjects, self.scores) | self.facts | numbers
        write_json_atomically(self.output_dir / "metrics.json", metrics)
        self.write_page(self.output_dir / "report.html", self.shown, metrics)
        scans, of = counted(len(rows), "test scan"), counted(numbers["subjects"], "subject")
        logger.info(f"{scans} of {of}, in the body: {_told(metrics)}.")


def _told(metrics: Mapping) -> str:
    """The scores, each beside those of the baselines."""
    told = []
    for name in ("mae", "psnr", "ssim"):
        beside = [f"{which[1:]} {metrics[name + which]:.3g}" for which in MADE[1:] if name + which in metrics]
        told.append(f"{name} {metrics[name]:.3g}" + (f" ({', '.join(beside)})" if beside else ""))
    return ", ".join(told)
