"""A pretext task on test subjects and on controls, where the answer is known."""

import dataclasses
import logging

import pytest
import torch
from monai.inferers import SimpleInferer
from monai.transforms import Compose, Randomizable, Transform
from torch import nn

from scripts.engines.batches import PrepareBatch
from scripts.errors import InputError
from scripts.evaluation.pretext import measure_pretext
from scripts.evaluation.pretext_heads import trained_head
from scripts.evaluation.pretext_task import PretextTask
from scripts.inferers.batch import BatchInferer
from scripts.losses.class_head import ClassHeadLoss


def scans(number, first=0, each=2):
    """Scans of subjects who have several each, sorted as a cohort is."""
    return [{"subject": f"S{first} {i // each}", "scan": first + i} for i in range(number)]


SPLIT = {"train": scans(12), "test": scans(12, 12)}


class Brightness(Randomizable, Transform):
    """Crops of a scan, each dark or bright, and which is asked."""

    def __init__(self, crops=3):
        self.crops = crops

    def __call__(self, scan):
        bright = self.R.randint(2, size=self.crops)
        noise = torch.from_numpy(self.R.randn(self.crops, 1, 6, 6, 6)).float()
        return [{"image": 0.1 * noise[i] + 2 * int(b) - 1, "bright": int(b), **scan} for i, b in enumerate(bright)]


class Mean(nn.Module):
    """Says of a crop how bright it is, in the first of two numbers."""

    def forward(self, image):
        return torch.stack([image.mean((1, 2, 3, 4)), torch.zeros(len(image))], 1)


class Silent(nn.Module):
    """Says the same of any crop."""

    def forward(self, image):
        return torch.zeros(len(image), 2)


def make_task(control="none", steps=100, batch_size=4, draws=2):
    """The task of telling bright crops from dark ones."""
    counted = []

    def prepare(scan):
        counted.append(scan["scan"])
        return {"scan": scan["scan"]}

    run = BatchInferer(PrepareBatch(), SimpleInferer(), "cpu")
    head = nn.Linear(2, 2)
    nn.init.zeros_(head.weight), nn.init.zeros_(head.bias)  # from which few steps are enough
    loss = ClassHeadLoss(head, 2, "bright")
    task = PretextTask(loss, prepare, Compose([Brightness()]), ["image"], control, run, batch_size, draws, steps)
    return task, counted


def measure(task, network, untrained, encoder, split=SPLIT):
    """The metrics alone."""
    return measure_pretext(task, network, untrained, trained_head(task.loss, encoder), split)[0]


@pytest.fixture
def encoder(tmp_path):
    """Path of weights beside the head of a solved task."""
    head = {"head.weight": torch.tensor([[-1.0, 0], [1, 0]]), "head.bias": torch.tensor([0.0, 0])}
    torch.save(head, tmp_path / "head.pt")
    return str(tmp_path / "encoder.pt")


def test_an_encoder_that_solves_the_task_does_so_on_test_subjects_and_on_no_control_but_what_shows_the_answer(encoder):
    metrics = measure(make_task()[0], Mean(), Silent(), encoder)
    assert metrics["pretext_accuracy"] == 1 and metrics["pretext_chance"] == 0.5
    assert metrics["pretext_accuracy_fitted_head"] == 1
    for ending in ("_noise", "_constant", "_random_encoder"):
        assert abs(metrics[f"pretext_accuracy{ending}"] - 0.5) < 0.25, ending
    assert metrics["pretext_accuracy_borders"] == 1  # of a bright crop, borders are bright


def test_a_head_is_fitted_to_the_untrained_encoder_that_could_solve_the_task(encoder):
    dim = nn.Sequential(Mean(), nn.Linear(2, 2, bias=False))
    nn.init.constant_(dim[1].weight, 1e-3)
    assert measure(make_task()[0], Mean(), dim, encoder)["pretext_accuracy_random_encoder"] == 1


def test_a_task_with_a_name_has_its_metrics_by_that_as_well(encoder):
    metrics = measure(dataclasses.replace(make_task(steps=1)[0], name="brightness"), Mean(), Silent(), encoder)
    for ending in ("accuracy", "accuracy_random_encoder", "chance"):
        assert metrics[f"brightness_{ending}"] == metrics[f"pretext_{ending}"]


def test_a_task_may_be_about_something_else_than_the_scans():
    task = dataclasses.replace(make_task()[0], asked=lambda split: {"test": split["test"][:1]})
    assert task.split(SPLIT) == {"test": SPLIT["test"][:1]} and make_task()[0].split(SPLIT) == SPLIT


def test_answers_that_nobody_can_judge_are_of_an_unknown_share(encoder, monkeypatch, caplog):
    monkeypatch.setattr(ClassHeadLoss, "correct", lambda self, embedding, target: torch.full((12,), torch.nan))
    with caplog.at_level(logging.INFO):
        assert measure(make_task(steps=1)[0], Mean(), Silent(), encoder)["pretext_accuracy"] is None
    assert "an unknown share of the answers are right" in caplog.text


def test_heads_are_fitted_to_the_encoder_and_to_an_untrained_one_in_one_way(encoder):
    metrics = measure(make_task(steps=20)[0], Mean(), Mean(), encoder)
    assert metrics["pretext_accuracy_fitted_head"] == metrics["pretext_accuracy_random_encoder"]
    assert metrics["pretext_accuracy_gain"] == 0 and metrics["intervals"]["pretext_accuracy_gain"] == [0, 0]


def test_the_log_says_how_well_each_head_fits_the_crops_that_it_was_fitted_to(encoder, caplog):
    with caplog.at_level(logging.INFO):
        measure(make_task()[0], Mean(), Silent(), encoder)
    assert "the head fitted to the encoder is right in 1.000" in caplog.text
    assert "the head fitted to the untrained encoder is right in 0.5" in caplog.text


def test_there_are_intervals_by_subject_and_of_what_the_heads_that_are_fitted_alike_differ_by(encoder):
    metrics = measure(make_task()[0], Mean(), Silent(), encoder)
    assert metrics["intervals"]["pretext_accuracy"] == [1, 1]
    low, high = metrics["intervals"]["pretext_accuracy_gain"]
    between = metrics["pretext_accuracy_fitted_head"] - metrics["pretext_accuracy_random_encoder"]
    assert 0 < low < metrics["pretext_accuracy_gain"] == between < high


def test_differences_are_of_the_encoder_and_its_own_head(encoder):
    metrics = measure(make_task(steps=1)[0], Mean(), Silent(), encoder)
    for ending in ("_random_encoder", "_fitted_head", "_noise"):
        low, high = metrics["differences"][f"pretext_accuracy{ending}"]
        assert low <= metrics["pretext_accuracy"] - metrics[f"pretext_accuracy{ending}"] <= high, ending


def test_an_encoder_that_was_trained_on_a_control_is_measured_on_it(encoder):
    metrics = measure(make_task("constant", steps=1)[0], Mean(), Silent(), encoder)
    assert metrics["pretext_accuracy"] == metrics["pretext_accuracy_constant"] < 0.75


def test_it_is_the_same_each_time(encoder):
    task = make_task(steps=5)[0]
    first, second = (measure(task, Mean(), Mean(), encoder) for _ in range(2))
    assert first == second


def test_each_scan_is_prepared_once(encoder):
    task, counted = make_task()
    measure(task, Mean(), Silent(), encoder)
    assert sorted(counted) == list(range(24))


def test_batches_that_no_step_of_fitting_takes_are_not_made(encoder):
    task, counted = make_task(steps=1)
    measure(task, Mean(), Silent(), encoder)
    assert len(counted) == 4 + 12  # one batch of training subjects, and all test subjects


def test_what_is_picked_is_as_it_is_among_all():
    task = make_task()[0]
    every = [batches["none"]["image"] for _, batches in task.batches(SPLIT["train"], ["none"])]
    picked = [batches["none"]["image"] for _, batches in task.batches(SPLIT["train"], ["none"], {1, 4})]
    assert len(every) == 3 * 2 and all(map(torch.equal, picked, [every[1], every[4]]))


def test_batches_are_of_different_subjects_where_each_has_several_scans():
    parts = make_task()[0].parts(scans(16, each=4))
    assert [len({scan["subject"] for scan in part}) for part in parts] == [4, 4, 4, 4]


@pytest.mark.parametrize(
    ("number", "batch_size", "sizes"),
    [(3, 2, [3]), (5, 2, [3, 2]), (5, 4, [3, 2]), (9, 4, [3, 3, 3]), (1, 4, [1]), (2, 1, [1, 1])],
)
def test_no_scan_is_alone_in_a_batch_where_a_training_has_several_a_step(number, batch_size, sizes):
    assert [len(part) for part in make_task(batch_size=batch_size)[0].parts(scans(number))] == sizes


def test_a_head_that_normalises_is_fitted_to_an_odd_number_of_scans_two_a_step(encoder, tmp_path):
    task = make_task(batch_size=2, steps=20)[0]
    task.loss.head = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))
    one_crop = dataclasses.replace(task, items=Compose([Brightness(1)]))
    torch.save(task.loss.state_dict(), tmp_path / "head.pt")
    assert measure(one_crop, Mean(), Silent(), encoder, {"train": scans(5), "test": scans(5, 5)})


def test_weights_without_a_head_beside_them_have_none_and_the_log_says_so(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert trained_head(make_task()[0].loss, str(tmp_path / "model.pt")) is None
    assert "no head.pt beside" in caplog.text


def test_a_head_of_another_task_is_refused(encoder, tmp_path):
    torch.save({"head.weight": torch.zeros(3, 2), "head.bias": torch.zeros(3)}, tmp_path / "head.pt")
    with pytest.raises(InputError, match=r"head\.pt do not fit"):
        trained_head(make_task()[0].loss, encoder)
