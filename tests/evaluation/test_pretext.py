"""A pretext task on test subjects and on controls, where the answer is known."""

import logging

import pytest
import torch
from monai.inferers import SimpleInferer
from monai.transforms import Compose, Randomizable, Transform
from torch import nn

from scripts.engines.batches import PrepareBatch
from scripts.errors import InputError
from scripts.evaluation.pretext import PretextTask, measure_pretext
from scripts.inferers.batch import BatchInferer
from scripts.losses.class_head import ClassHeadLoss

SPLIT = {
    part: [{"subject": f"{part} {i // 2}", "scan": first + i} for i in range(12)]
    for part, first in (("train", 0), ("test", 12))
}


class Brightness(Randomizable, Transform):
    """Three crops of a scan, each dark or bright, and which is asked."""

    def __call__(self, scan):
        bright = self.R.randint(2, size=3)
        noise = torch.from_numpy(self.R.randn(3, 1, 6, 6, 6)).float()
        return [{"image": 0.1 * noise[i] + 2 * int(b) - 1, "bright": int(b), **scan} for i, b in enumerate(bright)]


class Mean(nn.Module):
    """Says of a crop how bright it is, in the first of two numbers."""

    def forward(self, image):
        return torch.stack([image.mean((1, 2, 3, 4)), torch.zeros(len(image))], 1)


class Silent(nn.Module):
    """Says the same of any crop."""

    def forward(self, image):
        return torch.zeros(len(image), 2)


def make_task(control="none", steps=100):
    """The task of telling bright crops from dark ones."""
    counted = []

    def prepare(scan):
        counted.append(scan["scan"])
        return {"scan": scan["scan"]}

    run = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
    head = nn.Linear(2, 2)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)  # from which few steps are enough
    loss = ClassHeadLoss(head, 2, "bright")
    task = PretextTask(loss, prepare, Compose([Brightness()]), ["image"], control, run, 4, 2, steps)
    return task, counted


@pytest.fixture
def encoder(tmp_path):
    """Path of weights beside the head of a solved task."""
    head = {"head.weight": torch.tensor([[-1.0, 0], [1, 0]]), "head.bias": torch.tensor([0.0, 0])}
    torch.save(head, tmp_path / "head.pt")
    return str(tmp_path / "encoder.pt")


def test_an_encoder_that_solves_the_task_does_so_on_test_subjects_and_on_no_control_but_what_shows_the_answer(encoder):
    metrics = measure_pretext(make_task()[0], Mean(), Silent(), SPLIT, encoder)
    assert metrics["pretext_accuracy"] == 1 and metrics["pretext_chance"] == 0.5
    assert metrics["pretext_accuracy_fitted_head"] == 1
    for ending in ("_noise", "_constant", "_random_encoder"):
        assert abs(metrics[f"pretext_accuracy{ending}"] - 0.5) < 0.25, ending
    assert metrics["pretext_accuracy_borders"] == 1  # of a bright crop, borders are bright


def test_a_head_is_fitted_to_the_untrained_encoder_that_could_solve_the_task(encoder):
    dim = nn.Sequential(Mean(), nn.Linear(2, 2, bias=False))
    nn.init.constant_(dim[1].weight, 1e-3)
    assert measure_pretext(make_task()[0], Mean(), dim, SPLIT, encoder)["pretext_accuracy_random_encoder"] == 1


def test_heads_are_fitted_to_the_encoder_and_to_an_untrained_one_in_one_way(encoder):
    metrics = measure_pretext(make_task(steps=20)[0], Mean(), Mean(), SPLIT, encoder)
    assert metrics["pretext_accuracy_fitted_head"] == metrics["pretext_accuracy_random_encoder"]
    assert metrics["differences"]["pretext_accuracy_random_encoder"] == [0, 0]


def test_the_log_says_how_well_each_head_fits_the_crops_that_it_was_fitted_to(encoder, caplog):
    with caplog.at_level(logging.INFO):
        measure_pretext(make_task()[0], Mean(), Silent(), SPLIT, encoder)
    assert "the head fitted to the encoder is right in 1.000" in caplog.text
    assert "the head fitted to the untrained encoder is right in 0.5" in caplog.text


def test_there_are_intervals_by_subject_and_of_the_difference_between_the_heads_that_are_fitted_alike(encoder):
    metrics = measure_pretext(make_task()[0], Mean(), Silent(), SPLIT, encoder)
    assert metrics["intervals"]["pretext_accuracy"] == [1, 1]
    low, high = metrics["differences"]["pretext_accuracy_random_encoder"]
    between = metrics["pretext_accuracy_fitted_head"] - metrics["pretext_accuracy_random_encoder"]
    assert 0 < low < between < high


def test_an_encoder_that_was_trained_on_a_control_is_measured_on_it(encoder):
    metrics = measure_pretext(make_task("constant", steps=1)[0], Mean(), Silent(), SPLIT, encoder)
    assert metrics["pretext_accuracy"] == metrics["pretext_accuracy_constant"] < 0.75


def test_it_is_the_same_each_time(encoder):
    task = make_task(steps=5)[0]
    first, second = (measure_pretext(task, Mean(), Mean(), SPLIT, encoder) for _ in range(2))
    assert first == second


def test_each_scan_is_prepared_once(encoder):
    task, counted = make_task(steps=1)
    measure_pretext(task, Mean(), Silent(), SPLIT, encoder)
    assert sorted(counted) == list(range(24))


def test_weights_without_a_head_beside_them_are_not_measured_and_the_log_says_so(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        metrics = measure_pretext(make_task()[0], Mean(), Silent(), SPLIT, str(tmp_path / "model.pt"))
    assert metrics == {"intervals": {}, "differences": {}} and "no head.pt beside" in caplog.text


def test_a_head_of_another_task_is_refused(encoder, tmp_path):
    torch.save({"head.weight": torch.zeros(3, 2), "head.bias": torch.zeros(3)}, tmp_path / "head.pt")
    with pytest.raises(InputError, match=r"head\.pt do not fit"):
        measure_pretext(make_task()[0], Mean(), Silent(), SPLIT, encoder)
