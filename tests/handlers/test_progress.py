"""What a run says of itself."""

import csv
import io
import logging
import sys
import time

import pytest
import torch
from ignite.engine import Events
from monai.handlers import ValidationHandler

from scripts.handlers.budget import Budget
from scripts.handlers.progress import Progress
from scripts.handlers.save_best import SaveBest


@pytest.fixture
def training(make_training, tmp_path):
    """A function: a training with validation and progress, as in the bundle."""

    def make(max_epochs, interval=1, budget=None):
        training = make_training(max_epochs)
        ValidationHandler(interval, training.evaluator).attach(training.trainer)
        save_best = SaveBest(training.network, [])
        save_best.attach(training.evaluator)
        training.progress = Progress(training.evaluator, save_best, tmp_path / "history.csv", budget)
        training.progress.attach(training.trainer)
        if budget:
            budget.attach(training.trainer)
        return training

    return make


def rows(tmp_path):
    with open(tmp_path / "history.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_losses(training, losses):
    """Let validations find these losses."""
    losses = iter(losses)
    training.evaluator.add_event_handler(
        Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update(validation_loss=next(losses))
    )
    return training


def lines(caplog):
    return [record.message for record in caplog.records if record.name == "scripts.handlers.progress"]


def test_the_history_has_a_row_an_epoch(training, tmp_path):
    training(3).trainer.run()
    table = rows(tmp_path)
    columns = ["epoch", "train_loss", "learning_rate", "crops_per_second", "best", "validation_loss"]
    assert list(table[0]) == columns and [row["epoch"] for row in table] == ["1", "2", "3"]
    assert all(float(row[name]) > 0 for row in table for name in columns if name != "best")


def test_what_a_batch_holds_is_counted_by_its_name(training, tmp_path, caplog):
    caplog.set_level("INFO")
    run = training(1)
    run.progress.items = "scans"
    run.trainer.run()
    assert " scans/s, " in lines(caplog)[0] and "crops" not in lines(caplog)[0]
    assert float(rows(tmp_path)[0]["scans_per_second"]) > 0


def test_the_training_loss_is_the_mean_over_the_epoch(training, tmp_path):
    run, losses = training(1), []
    run.trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output[0]["loss"])
    )
    run.trainer.run()
    assert len(losses) == 3
    assert float(rows(tmp_path)[0]["train_loss"]) == pytest.approx(sum(losses) / 3)


def test_the_validation_loss_is_that_of_the_evaluator(training, tmp_path):
    run = training(1)
    run.trainer.run()
    loss = run.evaluator.state.metrics["validation_loss"]
    assert float(rows(tmp_path)[0]["validation_loss"]) == pytest.approx(loss)


def test_epochs_that_were_not_validated_have_an_empty_cell(training, tmp_path):
    training(4, interval=2).trainer.run()
    assert [bool(row["validation_loss"]) for row in rows(tmp_path)] == [False, True, False, True]


def test_each_validation_is_told_in_one_line(training, caplog):
    with caplog.at_level(logging.INFO):
        training(4, interval=2).trainer.run()
    assert [line.split(":")[0] for line in lines(caplog)] == ["epoch 2/4", "epoch 4/4"]


def test_no_more_time_is_left_than_the_budget_leaves(training, caplog, monkeypatch):
    clock = iter(range(0, 100_000, 60))  # a minute passes wherever a clock is looked at
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO):
        training(1000, budget=Budget(crops=36)).trainer.run()
    assert [line.endswith(", 0.0 min left") for line in lines(caplog)] == [False, True]


def test_with_a_budget_the_history_has_the_crops_so_far(training, tmp_path):
    training(5, budget=Budget(crops=36)).trainer.run()
    assert [row["crops"] for row in rows(tmp_path)] == ["18", "36"]


def test_losses_are_told(training, caplog, tmp_path):
    with caplog.at_level(logging.INFO):
        with_losses(training(1), [49.0]).trainer.run()
    trained = float(rows(tmp_path)[0]["train_loss"])
    assert f"loss {trained:.4g} in training, 49 in validation" in lines(caplog)[0]


def test_a_metric_that_is_no_loss_is_told_by_its_name(training, caplog):
    run = training(1)
    run.evaluator.state.key_metric_name = "dice"
    run.evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: engine.state.metrics.update(dice=0.25))
    with caplog.at_level(logging.INFO):
        run.trainer.run()
    assert " in training, dice 0.25 in validation, kept; validation_loss " in lines(caplog)[0]


def test_every_metric_of_the_validation_is_told_and_kept_by_its_name(training, caplog, tmp_path):
    run = training(2)
    run.evaluator.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: engine.state.metrics.update(rankme=17.25))
    with caplog.at_level(logging.INFO):
        run.trainer.run()
    assert "; rankme 17.2, " in lines(caplog)[0]
    assert [row["rankme"] for row in rows(tmp_path)] == ["17.25", "17.25"]
    assert run.trainer.state.metrics["rankme"] == 17.25  # for TensorBoard


def test_crops_are_counted_and_not_their_views(training, tmp_path):
    run = training(1)
    run.trainer.prepare_batch = lambda batch, *_, **__: (
        torch.cat([batch["image"]] * 2),
        {key: batch[key] for key in ("location", "scan")},
    )
    run.trainer.loss_function = lambda embedding, target: embedding.square().mean()
    run.trainer.run()
    assert run.progress.shown == 18


def test_the_best_so_far_is_called_so(training, caplog):
    with caplog.at_level(logging.INFO):
        with_losses(training(4), [9.0, 4.0, 5.0, 4.0]).trainer.run()
    assert [", kept;" in line for line in lines(caplog)] == [True, True, False, False]


def test_a_resumed_run_continues_the_history(training, caplog, tmp_path):
    first = with_losses(training(2), [9.0, 4.0])
    first.trainer.run()
    second = with_losses(training(3), [5.0])
    second.progress.load_state_dict(first.progress.state_dict())
    second.progress.save_best.load_state_dict(first.progress.save_best.state_dict())
    second.trainer.state.epoch, second.trainer.state.iteration = 2, 6
    caplog.clear()
    with caplog.at_level(logging.INFO):
        second.trainer.run()
    assert [float(row["validation_loss"]) for row in rows(tmp_path)] == [9, 4, 5]
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert ", kept;" not in lines(caplog)[0]


def test_the_validation_loss_is_there_for_tensorboard(training):
    run = with_losses(training(1), [4.0])
    run.trainer.run()
    assert run.trainer.state.metrics["validation_loss"] == 4


def test_the_learning_rate_is_that_of_the_epoch(training, make_training, tmp_path):
    from monai.handlers import LrScheduleHandler

    run = make_training(3)
    LrScheduleHandler(run.scheduler, print_lr=False).attach(run.trainer)
    Progress(run.evaluator, SaveBest(run.network, []), tmp_path / "history.csv").attach(run.trainer)
    run.trainer.run()
    assert [float(row["learning_rate"]) for row in rows(tmp_path)] == pytest.approx([0.01, 0.005, 0.0025])


def test_an_exception_in_training_is_not_swallowed(training):
    run = training(1)

    def fail(*_):
        raise RuntimeError("in the loss")

    run.trainer.loss_function = fail
    with pytest.raises(RuntimeError, match="in the loss"):
        run.trainer.run()


def test_one_process_alone_reports(training, make_training, monkeypatch, tmp_path):
    monkeypatch.setattr("scripts.handlers.progress.rank", lambda: 1)
    training(1).trainer.run()
    assert not (tmp_path / "history.csv").exists()


@pytest.fixture
def terminal(monkeypatch):
    """A function: what an output shows of a run, a terminal or a file."""

    def make(interactive):
        output = io.StringIO()
        output.isatty = lambda: interactive
        monkeypatch.setattr(sys, "stderr", output)
        return output

    return make


def test_a_terminal_shows_a_bar_of_each_epoch_with_its_loss_and_clears_it(training, terminal):
    pytest.importorskip("tqdm")
    output = terminal(True)
    training(2).trainer.run()
    shown = output.getvalue()
    assert "Epoch [1/2]" in shown and "Epoch [2/2]" in shown and "loss=" in shown
    assert shown.endswith("\r") and not shown.split("\r")[-2].strip()


def test_a_resumed_run_shows_the_epoch_that_it_is_in(training, terminal):
    pytest.importorskip("tqdm")
    run, output = training(3), terminal(True)
    run.trainer.state.epoch, run.trainer.state.iteration = 2, 6
    run.trainer.run()
    assert "Epoch [3/3]" in output.getvalue() and "Epoch [1/3]" not in output.getvalue()


def test_a_file_has_no_bar(training, terminal):
    output = terminal(False)
    training(1).trainer.run()
    assert output.getvalue() == ""


def test_without_tqdm_there_is_no_bar(training, terminal, monkeypatch, tmp_path):
    output = terminal(True)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    training(1).trainer.run()
    assert output.getvalue() == "" and len(rows(tmp_path)) == 1


def test_other_processes_show_no_bar(training, terminal, monkeypatch):
    output = terminal(True)
    monkeypatch.setattr("scripts.handlers.progress.rank", lambda: 1)
    training(1).trainer.run()
    assert output.getvalue() == ""
