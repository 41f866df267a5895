"""A training in each fold: the same configuration again and again, for a cross-validation of what it trains."""

import csv
import gc
import json
import logging
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from monai.utils import set_determinism

from ..data.folds import SubjectFolds
from ..data.outcome_folds import OutcomeFolds
from ..data.recorded import read_split
from ..errors import InputError
from ..runs.configuration import config_in_use
from ..runs.settings import check_settings, fixed_settings
from ..runs.values import settle_values
from .features import Features

__all__ = ["FoldRuns", "FoldTraining"]

logger = logging.getLogger(__name__)

# settings that differ from fold to fold, or decide nothing in one
FREE = {"fold", "label_share", "label_shares", "name"}


class FoldRuns:
    """Runs the `fit` of the configuration that makes this, with another `fold` and `label_share` each time.

    A fold whose metrics.json is there is not trained again; one that was stopped is resumed.

    Args:
        folds: of the subjects.
        seed: of each training, so that a fold does not depend on those before it.
        output_dir: each training has a folder in it, which it gets as its own `output_dir`.
    """

    def __init__(self, folds: SubjectFolds | OutcomeFolds, seed: int, output_dir: str) -> None:
        self.folds, self.seed = folds, seed
        self.output_dir, self.config = Path(output_dir), config_in_use()

    def trained(self, fold: int, share: float) -> Path:
        """Folder of the training of a fold, when it is done.

        Raises:
            InputError: the fold was trained with other settings or subjects.
        """
        folder = self.folder(fold, share)
        started, done = ((folder / file).is_file() for file in ("checkpoint.pt", "metrics.json"))
        if started or done:
            self._check(folder, fold, share)
        if not done:
            logger.info(f"Training fold {fold} with {share:.0%} of its subjects, in {folder}.")
            set_determinism(self.seed)
            self._train(folder, fold, share, started)
        return folder

    def folder(self, fold: int, share: float) -> Path:
        """Of the training of a fold, whether or not it is there."""
        return self.output_dir / f"fold_{fold}_of_{share:g}"

    def _check(self, folder: Path, fold: int, share: float) -> None:
        check_settings(folder, sorted({*fixed_settings(self.config), "max_epochs"} - FREE))
        subjects = {name: sorted(part) for name, part in self.folds.parts(fold, share).items()}
        if {name: read_split(folder / "split.json")[name] for name in subjects} != subjects:
            raise InputError(f"{folder} was trained on other subjects: give another output_dir.")

    def _train(self, folder: Path, fold: int, share: float, resume: bool) -> None:
        own = {"fold": fold, "label_share": share, "output_dir": str(folder), "ckpt_dir": str(folder)}
        own["kept_in"] = self.config["kept_in"] | {"spare_dir": str(self.output_dir / "prepared")}  # of all folds
        parser = ConfigParser({**self.config, **own, "resume": resume})
        parser.parse()
        settle_values(parser)
        parser.get_parsed_content("fit")
        del parser
        gc.collect()  # engines refer to themselves, and so would keep their cached scans


class FoldTraining(FoldRuns):
    """`FoldRuns` whose trainings end with scores of crops.

    Args:
        features: of the crops that are scored.
        folds: of their subjects.
        seed, output_dir: as there.
    """

    def __init__(self, features: Features, folds: SubjectFolds, seed: int, output_dir: str) -> None:
        super().__init__(folds, seed, output_dir)
        self.features, self.subject_folds = features, folds

    def __call__(self, fold: int, share: float) -> tuple[torch.Tensor, float]:
        """Scores of the fold's test crops, [M], and a threshold.

        Raises:
            InputError: the fold was trained with other settings or subjects, or scored on other crops.
        """
        return self._scores(self.trained(fold, share), fold)

    def _scores(self, folder: Path, fold: int) -> tuple[torch.Tensor, float]:
        with open(folder / "scores.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        label = self.features.class_label[self.subject_folds.rows(self.features.subject, fold)["test"]]
        if [float(row["label"]) for row in rows] != label.tolist():
            raise InputError(f"{folder} was scored on other crops: give another output_dir.")
        threshold = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["threshold_logit"]
        return torch.tensor([float(row["score"]) for row in rows]), threshold
