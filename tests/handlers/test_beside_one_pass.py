"""Passes with dropout are judged by one pass without, on the same scans."""

import json

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedEvaluator
from monai.inferers import SimpleInferer
from monai.transforms import AsDiscreted, Compose, CopyItemsd, FlattenSubKeysd
from torch import nn

from scripts.data.structures import Structures
from scripts.handlers.beside_one_pass import BesideOnePass
from scripts.handlers.segmentation_scores import SegmentationScores
from scripts.inferers.monte_carlo import MonteCarloInferer

REGIONS = Structures(("dark", "bright"), ((1,), (2,)))
POSTPROCESSING = Compose(
    [
        FlattenSubKeysd("pred", ["scores", "entropy", "mutual_information"]),
        CopyItemsd("scores", names="pred"),
        AsDiscreted("pred", argmax=True),
    ]
)


class Network(nn.Module):
    """Finds the brightest of three classes, but nothing where it is in training mode, as if all were dropped."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, image):
        logits = torch.cat([image == number for number in range(3)], 1) * 8.0
        return logits * (not self.dropout.training) + torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1, 1)


def scans(*subjects):
    numbers = (torch.arange(27) % 3).reshape(1, 3, 3, 3).float()
    image, label = MetaTensor(numbers, meta={"filename_or_obj": "scan.nii.gz"}), MetaTensor(numbers.clone())
    return [{"image": image, "label": label, "subject": subject} for subject in subjects]


@pytest.fixture
def evaluate(tmp_path):
    """A function: what an evaluation leaves of each scan, and its metrics.json, if any."""

    def run(items, *others):
        outputs = []
        handler = BesideOnePass(tmp_path, SimpleInferer(), POSTPROCESSING, REGIONS)
        evaluator = SupervisedEvaluator(
            torch.device("cpu"),
            DataLoader(Dataset(items)),
            Network(),
            inferer=MonteCarloInferer(SimpleInferer(), 2),
            postprocessing=POSTPROCESSING,
            val_handlers=[handler, *others],
        )
        evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda: outputs.append(evaluator.state.output[0]))
        evaluator.run()
        path = tmp_path / "metrics.json"
        return outputs, json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    return run


def test_the_other_pass_is_one_without_dropout_and_its_lead_counts_against_the_passes(evaluate):
    outputs, metrics = evaluate(scans(*"ABCDEF"))
    assert metrics["dice_one_pass"] == 1 and metrics["dice_difference"] == -1
    assert metrics["dice_difference_interval"] == [-1, -1] and metrics["dice_difference_p"] == 2 / 2**6
    assert metrics["seconds"] > 0 and metrics["seconds_one_pass"] > 0
    assert outputs[0]["one_pass_entropy"].max() < outputs[0]["entropy"].min()
    assert not outputs[0]["pred"].any()


def test_scores_of_the_passes_stand_beside_it_whoever_comes_first(evaluate, tmp_path):
    _, metrics = evaluate(scans(*"AB"), SegmentationScores(tmp_path, REGIONS))
    assert metrics.items() >= {"dice": 0, "dice_one_pass": 1, "dice_difference_interval": None}.items()


def test_scans_without_a_label_map_are_left_alone(evaluate):
    unlabelled = [{key: value for key, value in scan.items() if key != "label"} for scan in scans("A")]
    outputs, metrics = evaluate(unlabelled)
    assert metrics is None and "one_pass_entropy" not in outputs[0]


def test_figures_that_cannot_be_known_are_null(evaluate):
    nothing = [scan | {"label": scan["label"] * 0} for scan in scans("A")]
    assert evaluate(nothing)[1]["dice_difference"] is None
