"""A training in each fold: the same configuration again and again, for a cross-validation of what it trains."""

import csv
import json
import logging
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from monai.utils import set_determinism

from .run_folder import check_settings, config_in_use, fixed_settings

__all__ = ["FoldTraining"]

OWN = {"fold", "label_share"}

logger = logging.getLogger(__name__)


class FoldTraining:
    """Runs the `fit` of the configuration that makes this, with another `fold` and `label_share` each time.

    A fold whose scores are there is not trained again; one that was stopped is gone on with.

    Args:
        output_dir: each training has a folder in it, which it gets as its own `output_dir`.
        seed: of each training, so that a fold does not depend on those before it.
    """

    def __init__(self, output_dir: str, seed: int) -> None:
        self.output_dir, self.seed, self.config = Path(output_dir), seed, config_in_use()

    def __call__(self, fold: int, share: float) -> tuple[torch.Tensor, float]:
        """Scores of the fold's test crops, [M], and a threshold.

        Raises:
            InputError: the fold was trained with other settings.
        """
        folder = self.output_dir / f"fold_{fold}_of_{share:g}"
        check_settings(folder, {*fixed_settings(self.config), "max_epochs"} - OWN)
        if not (folder / "metrics.json").is_file():
            logger.info(f"Training fold {fold} with {share:.0%} of its subjects, in {folder}.")
            set_determinism(self.seed)
            self._train(folder, fold, share)
        with open(folder / "scores.csv", newline="") as file:
            scores = [float(row["score"]) for row in csv.DictReader(file)]
        return torch.tensor(scores), json.loads((folder / "metrics.json").read_text())["threshold"]

    def _train(self, folder: Path, fold: int, share: float) -> None:
        own = {"fold": fold, "label_share": share, "output_dir": str(folder), "ckpt_dir": str(folder)}
        parser = ConfigParser({**self.config, **own, "resume": (folder / "checkpoint.pt").is_file()})
        parser.parse()
        parser.get_parsed_content("fit")
