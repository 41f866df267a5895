"""What a run is, on record before it starts: its settings checked and written, and nothing of another run lost."""

import json
import logging
import shlex
import textwrap
from collections.abc import Iterable
from pathlib import Path

from monai.bundle import ConfigParser

from ..atomic import plain, write_json_atomically
from ..distributed import rank
from ..errors import InputError
from .configuration import FOLDERS, STRUCTURE, config_in_use
from .kinds import DESCRIPTION
from .lock import lock_if_there
from .references import without_descriptions

__all__ = [
    "IRRELEVANT",
    "check_settings",
    "fixed_settings",
    "keep_results",
    "open_evaluation",
    "open_run",
    "record_settings",
]

logger = logging.getLogger(__name__)

# what may differ where the same results are made again
IRRELEVANT = {
    *("_meta_", "device", "threads", "num_workers", "cache_rate", "store_dir", "kept_in"),
    *("amp", "checkpoint_steps", "on_bad_scan"),
    *(FOLDERS - {"dataset_dir"}),
}
# what a run leaves that ends before it has results: its lock, what it found in scans, and scans that it made
NO_RESULTS = {".lock", "audit.csv", "audit.html", "converted", "synthetic_cohort"}
# what an encoder depends on, and so has to be the same wherever it is used
LEARNED_FROM = (
    *("network_def", "embedding_size", "spacing", "crop_size", "intensity", "frame"),
    *("images", "network_inputs"),
)

# what may change where a run is resumed; write_split holds the split
RESUMABLE = {
    "resume",
    "device",
    "threads",
    "max_epochs",
    "max_seconds",
    "max_crops",
    "checkpoint_steps",
    "patience",
    "val_interval",
    "cache_rate",
    "store_dir",
    "kept_in",
    "num_workers",
    "amp",
    "on_bad_scan",
    "network",
    "val_size",
    "test_size",
}

# of the sections train and validate: how crops are loaded and shared among processes, and what is watched; of handlers,
# multi_gpu_train.json adds one to the list, and each that learns is a setting of its own
RESUMABLE_PARTS = {"network", "sampler", "dataloader", "progress", "tensorboard", "handlers"}

# of a data set: where its scans are kept
WHERE_KEPT = {"cache_rate", "store_dir"}

# of the trainer: how a step is computed, which changes it by rounding alone, as channels_last.json and compile.json do
BUT_FOR_ROUNDING = {"network", "compile", "compile_kwargs"}


def open_run(output_dir: str, resume: bool = False) -> None:
    """Check that a training run can begin or be resumed in a folder; nothing is written yet.

    Args:
        output_dir: folder of the run.
        resume: the run that is in the folder.

    Raises:
        InputError: there is no run to resume, it had other settings, a run is in the folder that would be overwritten,
            another process is running one there, or the folder could not be made.
    """
    config = config_in_use()
    if resume and not (Path(output_dir) / "checkpoint.pt").is_file():
        raise InputError(
            f"There is no checkpoint.pt in {output_dir} to resume from: correct output_dir, or leave resume out."
        )
    lock_if_there(output_dir)
    found, finished = ((Path(output_dir) / name).is_file() for name in ("checkpoint.pt", "metrics.json"))
    if (found or finished) and not resume:
        cure = "continue it with --resume true, or give" if found else "give"
        raise InputError(f"{output_dir} holds a run already: {cure} another --output_dir.")
    if config.get("val_interval", 1) > config.get("max_epochs", 1):
        raise InputError(
            "val_interval is larger than max_epochs, so that no encoder would be kept: lower val_interval."
        )
    if config.get("val_interval", 1) > 1 and (config.get("max_seconds") or config.get("max_crops")):
        raise InputError(
            "With max_seconds or max_crops, a training may end before an epoch that is validated, so that no encoder "
            "would be kept: leave val_interval 1."
        )
    if resume:
        check_settings(output_dir, fixed_settings(config))


def check_settings(
    run_dir: str | Path | None, keys: Iterable[str] = (*LEARNED_FROM, "image", "place_range"), more: Iterable[str] = ()
) -> None:
    """Check that the configuration that is being run agrees with that of a training run, as far as it has the keys.

    What its `_warning_` says, if it has one, is logged.

    Args:
        run_dir: of the training run; nothing is checked if there is none, or if it has no config.json.
        keys: what has to be the same; `more`: likewise.

    Raises:
        InputError: names a key and both values.
    """
    if run_dir is None:
        return
    path, config = Path(run_dir) / "config.json", ConfigParser(config_in_use())
    trained = ConfigParser(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {})
    if "_warning_" in trained:
        logger.warning(trained["_warning_"])
    keys = [*keys, *more]
    if "embedding_size" in keys and all("embedding_size" in one for one in (config, trained)):
        _require_same_encoder(config, trained, run_dir)
    for key in keys:
        if key not in config or key not in trained or _meant(key, config) == _meant(key, trained):
            continue
        ours, theirs = (textwrap.shorten(_text(settings[key]), 200) for settings in (config, trained))
        cure = "" if isinstance(trained[key], dict) else f"--{key} {shlex.quote(_text(trained[key]))}, or "
        raise InputError(
            f"{key} is {ours}, but the run in {run_dir} has {theirs}: give {cure}the configuration files and overrides "
            f"of that run again, which {path} has."
        )


def record_settings(path: str | Path) -> None:
    """Write the configuration that is being run, with all overrides, to a JSON file.

    It comes behind all that may refuse a run, so that a refused run leaves nothing but what was found in its scans.
    """
    if rank() == 0:
        write_json_atomically(path, config_in_use())


def keep_results(path: str | Path, free: Iterable[str], apart: Iterable[str] = ()) -> None:
    """Check that no results of other settings, or of another kind, lie in a folder, which would be lost.

    Args:
        path: of the JSON file that `record_settings` wrote; where nothing is beside it, its run left no results.
        free: keys that may differ, besides those that decide nothing.
        apart: names of such files of other kinds of runs, whose results are called as these are.

    Raises:
        InputError: names a key that differs, or a file of another kind; or another process is writing to the folder.
    """
    path, apart, ignored = Path(path), [*apart], {*free, *IRRELEVANT}
    lock_if_there(path.parent)
    if {other.name for other in path.parent.glob("*")} <= {path.name, *apart, *NO_RESULTS}:
        return
    for other in apart:
        if (path.parent / other).is_file():
            raise InputError(f"{path.parent} holds results of another kind ({other}): give another --output_dir.")
    if not path.is_file():
        return
    before, now = json.loads(path.read_text(encoding="utf-8")), json.loads(_text(config_in_use()))
    ours, theirs = without_descriptions(now), without_descriptions(before)
    for key in [key for key in {**theirs, **ours} if key not in ignored]:
        if ours.get(key) != theirs.get(key):
            raise InputError(f"{path.parent} holds results with another {key}: give another --output_dir.")
    logger.warning(f"{path.parent} holds results of these settings already, which are written over.")


def open_evaluation(path: str | Path) -> None:
    """Check that an evaluation can be written to a folder, and warn where it is written over one before it.

    Settings may differ from those of the one before, as after more training.

    Args:
        path: of its metrics.json.

    Raises:
        InputError: another process is writing to the folder, or it could not be made.
    """
    lock_if_there(Path(path).parent)
    if rank() == 0 and Path(path).is_file():
        logger.warning(f"{path} is of an earlier evaluation, which is written over.")


def fixed_settings(config: dict) -> list[str]:
    """Names of all settings that may not change where a run is resumed."""
    free = STRUCTURE - {"network_def"} | FOLDERS | RESUMABLE
    parts = [f"{section}#{key}" for section in ("train", "validate") for key in config.get(section, {})]
    parts = [part for part in parts if part.partition("#")[2] not in RESUMABLE_PARTS]
    return [key for key in config if key not in free and not DESCRIPTION.match(key)] + parts


def _require_same_encoder(config: ConfigParser, trained: ConfigParser, run_dir: str | Path) -> None:
    """Name the overlay where one of two configurations is of unet_encoder.json's encoder, and the other is not."""
    ours, theirs = (
        any("layer_features" in _text(one[key]) for key in ("network_def", "encoder_def") if key in one)
        for one in (config, trained)
    )
    if theirs and not ours:
        raise InputError(
            f"The encoder of the run in {run_dir} is a U-Net's: give unet_encoder.json as well, the last of the "
            "configuration files."
        )
    if ours and not theirs:
        raise InputError(
            f"The encoder of the run in {run_dir} is no U-Net's: leave unet_encoder.json out of the configuration "
            "files."
        )


def _meant(key: str, config: ConfigParser) -> object:
    """A setting without what changes nothing, or rounding alone; a switch as such, also from a command line.

    MONAI writes references with `::` once it has read them, in whatever way they were written.
    """
    bare = json.loads(_text(without_descriptions(config[key])).replace("::", "#"))
    if isinstance(bare, dict):
        free = BUT_FOR_ROUNDING if key == "train#trainer" else WHERE_KEPT
        return {name: value for name, value in bare.items() if name not in free}
    return {"true": True, "false": False}.get(bare, bare) if isinstance(bare, str) else bare


def _text(item) -> str:
    return json.dumps(item, default=plain)
