"""What several passes with dropout buy: their Dice coefficient and their seconds, beside those of one without."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents

from ..data.structures import Structures
from ..inferers.passes import over_passes
from ..metrics.paired_difference import paired_difference
from ..metrics.segmentation import mean_region_dice
from .add_metrics import add_metrics

__all__ = ["BesideOnePass"]


class Line(NamedTuple):
    subject: str
    dice: float
    dice_one_pass: float
    seconds: float
    seconds_one_pass: float


class BesideOnePass:
    """Has one pass without dropout over each scan that has a label map; where there is none, it does nothing.

    The output of such a scan has `one_pass_entropy` [1, X, Y, Z] then, for handlers that come after. At the end,
    metrics.json has `dice_one_pass`; `dice_difference`, by how much several passes have more, with its 95 % interval
    over subjects (`dice_difference_interval`) and the p of Wilcoxon's signed-rank test of subjects
    (`dice_difference_p`); `seconds` that the passes took over a scan, in the median, and `seconds_one_pass`.

    Args:
        output_dir: where metrics.json is.
        inferer: passes over an image, as the one that `MonteCarloInferer` has; the network's outputs are logits.
        postprocessing: of the evaluator.
        regions: that are scored, as `regions_of_classes` makes them.
    """

    def __init__(self, output_dir: str, inferer: Callable, postprocessing: Callable, regions: Structures) -> None:
        self.output_dir, self.inferer = Path(output_dir), inferer
        self.postprocessing, self.regions = postprocessing, regions
        self.lines: list[Line] = []

    def attach(self, engine: SupervisedEvaluator) -> None:
        """Attach to an evaluator of single scans, with `pred` and, if drawn, `label` [1, X, Y, Z] of its output."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._begin_passes)
        engine.add_event_handler(IterationEvents.FORWARD_COMPLETED, self._end_passes)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._compare)
        engine.add_event_handler(Events.COMPLETED, self._write)

    def _begin_passes(self, engine: SupervisedEvaluator) -> None:
        self.begun = _now(engine)

    def _end_passes(self, engine: SupervisedEvaluator) -> None:
        self.seconds = _now(engine) - self.begun

    def _compare(self, engine: SupervisedEvaluator) -> None:
        (scan,), (passes,) = engine.state.batch, engine.state.output
        if not isinstance(label := passes.get("label"), MetaTensor):
            return
        begun = _now(engine)
        with engine.mode(engine.network):
            image = scan["image"].as_tensor()[None].to(engine.state.device)
            found = over_passes([self.inferer(image, engine.network)])
        seconds = _now(engine) - begun
        maps = {"scores": found.probability, "entropy": found.entropy, "mutual_information": found.mutual_information}
        # Invertd inverts what has metadata, which it replaces
        one = self.postprocessing({**scan, "pred": {key: MetaTensor(batch[0]) for key, batch in maps.items()}})
        passes["one_pass_entropy"] = one["entropy"]
        several, alone = (self._dice(found["pred"], label) for found in (passes, one))
        self.lines.append(Line(scan["subject"], several, alone, self.seconds, seconds))

    def _dice(self, found: MetaTensor, label: MetaTensor) -> float:
        return mean_region_dice(found.as_tensor()[0].cpu(), label.as_tensor()[0].cpu(), self.regions.values)

    def _write(self) -> None:
        if not self.lines:
            return
        subjects = np.array([line.subject for line in self.lines])
        dice, dice_one_pass, seconds, seconds_one_pass = np.array([line[1:] for line in self.lines]).T
        difference = paired_difference(dice, dice_one_pass, subjects)
        metrics = {
            "dice_one_pass": float(torch.from_numpy(dice_one_pass).nanmean()),
            "dice_difference": difference.mean,
            "dice_difference_interval": difference.interval,
            "dice_difference_p": difference.p,
            "seconds": float(np.median(seconds)),
            "seconds_one_pass": float(np.median(seconds_one_pass)),
        }
        add_metrics(self.output_dir, metrics)


def _now(engine: SupervisedEvaluator) -> float:
    """Seconds, when a GPU has done what it was given."""
    if engine.state.device.type == "cuda":
        torch.cuda.synchronize(engine.state.device)
    return perf_counter()
