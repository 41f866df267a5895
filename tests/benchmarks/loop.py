"""The rate of a bundle's training, its data in memory, as a share of that of a bare loop in PyTorch.

`python -m tests.benchmarks.loop` tries isimed_pretraining; give it names of others, and settings as KEY=VALUE, in JSON.
Both train copies of one network on the same batches, in turns, and the share is of their processor time.
"""

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ignite.engine import Events
from monai.bundle import ConfigParser
from torch.utils.data import DataLoader

from scripts.data.phantom import make_cohort

BUNDLES = Path(__file__).parents[2] / "bundles"
TURNS = 5


def trainer_of(bundle: str, cohort: Path, output: Path, settings: dict):
    """The trainer of a bundle, and its batches in memory."""
    parser = ConfigParser()
    parser.read_config(BUNDLES / bundle / "configs" / "train.json")
    data = {
        "dataset_dir": str(cohort),
        "output_dir": str(output),
        "val_size": 2,
        "test_size": 2,
        "device": "cpu",
        "val_interval": 1000,
    }
    parser.update(data | settings)
    trainer = parser.get_parsed_content("train#trainer")
    trainer.data_loader = DataLoader(list(trainer.data_loader), batch_size=None, collate_fn=lambda batch: batch)
    return trainer


def seconds_of_trainer(trainer) -> float:
    """Of the steps of one epoch, with all that is done in each, but not what is done between epochs."""
    times: list[float] = []
    begun = trainer.add_event_handler(Events.EPOCH_STARTED, lambda: times.append(time.process_time()))
    done = trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: times.append(time.process_time()))
    trainer.state.max_epochs = trainer.state.epoch + 1
    trainer.run()
    begun.remove()
    done.remove()
    return times[-1] - times[0]


def seconds_of_loop(trainer) -> float:
    """Of as many steps of the same network, loss and optimizer, and nothing else."""
    start = time.process_time()
    for batch in trainer.data_loader:
        image, target, *more = trainer.prepare_batch(batch, trainer.state.device, trainer.non_blocking)
        trainer.optimizer.zero_grad(set_to_none=True)
        arguments, keywords = more or ((), {})
        loss = trainer.loss_function(trainer.inferer(image, trainer.network, *arguments, **keywords), target)
        loss.backward()
        trainer.optimizer.step()
    return time.process_time() - start


def main(arguments: list[str]) -> None:
    """Print seconds of the fastest turns, which other processes held up least, and the share."""
    given = [argument.split("=", 1) for argument in arguments if "=" in argument]
    settings = {key: json.loads(value) for key, value in given}
    bundles = [argument for argument in arguments if "=" not in argument] or ["isimed_pretraining"]
    with TemporaryDirectory() as folder:
        cohort = make_cohort(Path(folder) / "cohort", subjects=10)
        for bundle in bundles:
            trainer = trainer_of(bundle, cohort, Path(folder) / bundle, settings)
            seconds_of_trainer(trainer), seconds_of_loop(trainer)
            bare, whole = zip(
                *((seconds_of_loop(trainer), seconds_of_trainer(trainer)) for _ in range(TURNS)), strict=True
            )
            print(f"{bundle:32} {min(bare):6.2f} s bare, {min(whole):6.2f} s: {min(bare) / min(whole):.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
