"""The rate of a bundle's training, its data in memory, as a share of that of a bare loop in PyTorch.

`python -m tests.benchmarks.loop` tries all bundles, each on the cohort that it makes itself; give it names of some, and
settings as KEY=VALUE, in JSON. Both train one network on one batch, a step each in turns, and the share is the median
of those of neighbouring steps, in processor time, so that what other programs do weighs on both. Where a step is more
than a loss and an optimizer's, a bare loop is another program.
"""

import json
import sys
import time
from hashlib import md5
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ignite.engine import Events
from monai.bundle import ConfigParser
from torch.utils.data import DataLoader

BUNDLES = Path(__file__).parents[2] / "bundles"
OTHER = {"drasclr_pretraining": "a momentum encoder", "cross_modal_generation": "a discriminator"}  # beside the loss
TURNS, SECONDS = 5, 10  # at least


def trainer_of(bundle: str, folder: Path, settings: dict):
    """The trainer of a bundle, and a batch of it in memory; bundles of one cohort share it."""
    parser = ConfigParser()
    parser.read_config(BUNDLES / bundle / "configs" / "train.json")
    output = folder / md5(json.dumps(parser["cohort"]).encode()).hexdigest()
    parser.update({"output_dir": str(output), "device": "cpu", "val_interval": 1000, "cache_rate": 0} | settings)
    parser["train"]["save_checkpoint"]["_disabled_"] = True
    trainer = parser.get_parsed_content("train#trainer")
    batch = next(iter(trainer.data_loader))
    trainer.data_loader = DataLoader([batch], batch_size=None, collate_fn=lambda batch: batch)
    trainer.state.epoch_length = 1
    return trainer


def seconds_of_trainer(trainer) -> float:
    """Of an epoch's step, with all that is done in it, but not what is done between epochs."""
    times: list[float] = []
    begun = trainer.add_event_handler(Events.EPOCH_STARTED, lambda: times.append(time.process_time()))
    done = trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: times.append(time.process_time()))
    trainer.state.max_epochs = trainer.state.epoch + 1
    trainer.run()
    begun.remove()
    done.remove()
    return times[-1] - times[0]


def seconds_of_loop(trainer) -> float:
    """Of a step of the same network, loss and optimizer, and nothing else."""
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
    """Print seconds of the fastest steps, and the share."""
    given = [argument.split("=", 1) for argument in arguments if "=" in argument]
    settings = {key: json.loads(value) for key, value in given}
    every = sorted({path.parts[-3] for path in BUNDLES.glob("*/configs/train.json")} - OTHER.keys())
    with TemporaryDirectory() as folder:
        for bundle in [argument for argument in arguments if "=" not in argument] or every:
            trainer = trainer_of(bundle, Path(folder), settings)
            seconds_of_trainer(trainer), seconds_of_loop(trainer)
            pairs: list[tuple[float, float]] = []
            while len(pairs) < TURNS or sum(map(sum, pairs)) < SECONDS:
                pairs.append((seconds_of_loop(trainer), seconds_of_trainer(trainer)))
            bare, whole = map(min, zip(*pairs, strict=True))
            share = median(first / second for first, second in pairs)
            print(f"{bundle:32} {bare:6.2f} s bare, {whole:6.2f} s: {share:.3f}, {len(pairs)} turns", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
