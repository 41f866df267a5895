"""What a run is, on record before it starts: its settings checked and written, and nothing of another run lost."""

import difflib
import inspect
import json
import logging
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

from monai.bundle import ConfigParser

from ..atomic import plain, write_json_atomically
from ..distributed import rank
from ..errors import InputError, report_input_errors
from .kinds import check_kinds, settings_of

__all__ = [
    "check_settings",
    "config_in_use",
    "fixed_settings",
    "keep_results",
    "open_run",
    "record_settings",
    "unknown_keys",
    "without_descriptions",
]

logger = logging.getLogger(__name__)

# what is read by name, so that no other key has to refer to it
STRUCTURE = {"_meta_", "imports", "initialize", "fit", "run", "finalize", "network_def", "train", "validate"}
# folders that no key may need any more where paths are overridden
FOLDERS = {"bundle_root", "dataset_dir", "output_dir", "ckpt_dir"}
# what may differ where the same results are made again
IRRELEVANT = {"_meta_", "device", "num_workers", "cache_rate", "amp", "on_bad_scan"} | FOLDERS - {"dataset_dir"}
# what a run leaves that ends before it has results
AUDIT = ("audit.csv", "audit.html")
# what an encoder depends on, and so has to be the same wherever it is used
LEARNED_FROM = (
    *("network_def", "embedding_size", "spacing", "crop_size", "intensity", "frame"),
    *("images", "network_inputs"),
)

# what may change where a run is resumed; write_split holds the split
RESUMABLE = {
    "resume",
    "device",
    "max_epochs",
    "val_interval",
    "cache_rate",
    "num_workers",
    "amp",
    "on_bad_scan",
    "network",
    "val_size",
    "test_size",
}

# of the sections train and validate: how crops are loaded and shared among processes, and what is watched
RESUMABLE_PARTS = {"network", "sampler", "dataloader", "tensorboard"}
DESCRIPTION = re.compile(r"_desc(_\w+)?_$")


def open_run(output_dir: str, resume: bool = False) -> None:
    """Begin or resume a training run, and record its settings in config.json.

    Args:
        output_dir: folder of the run; made if need be.
        resume: the run that is in the folder.

    Raises:
        InputError: a key is misspelt, a value is not what it may be, there is no run to resume, or a run is in the
            folder that would be overwritten.
    """
    config = _checked_config()
    found = (Path(output_dir) / "checkpoint.pt").is_file()
    finished = (Path(output_dir) / "metrics.json").is_file()
    if resume and not found:
        raise InputError(
            f"There is no checkpoint.pt in {output_dir} to resume from: correct output_dir, or leave resume out."
        )
    if (found or finished) and not resume:
        cure = "continue it with --resume true, or give" if found else "give"
        raise InputError(f"{output_dir} holds a run already: {cure} another --output_dir.")
    if config.get("val_interval", 1) > config.get("max_epochs", 1):
        raise InputError(
            "val_interval is larger than max_epochs, so that no encoder would be kept: lower val_interval."
        )
    if resume:
        check_settings(output_dir, fixed_settings(config))
    record_settings(Path(output_dir) / "config.json")


def check_settings(run_dir: str | Path | None, keys: Iterable[str] = (*LEARNED_FROM, "image")) -> None:
    """Check that the configuration that is being run agrees with that of a training run, as far as it has the keys.

    What its `_warning_` says, if it has one, is logged.

    Args:
        run_dir: of the training run; nothing is checked if there is none, or if it has no config.json.
        keys: what has to be the same.

    Raises:
        InputError: names a key and both values.
    """
    if run_dir is None:
        return
    path, config = Path(run_dir) / "config.json", ConfigParser(config_in_use())
    trained = ConfigParser(json.loads(path.read_text()) if path.is_file() else {})
    if "_warning_" in trained:
        logger.warning(trained["_warning_"])
    for key in keys:
        if key not in config or key not in trained:
            continue
        if without_descriptions(config[key]) == without_descriptions(trained[key]):
            continue
        ours, theirs = (textwrap.shorten(_text(settings[key]), 200) for settings in (config, trained))
        raise InputError(
            f"{key} is {ours}, but the run in {run_dir} has {theirs}: give the configuration files and overrides of "
            f"that run again, which {path} has."
        )


def record_settings(path: str | Path) -> None:
    """Check the configuration that is being run, and write it with all overrides to a JSON file.

    From here on, an `InputError` ends the process with its one sentence.

    Raises:
        InputError: a key is misspelt, or a value is not what it may be.
    """
    config = _checked_config()
    if rank() == 0:
        write_json_atomically(path, config)


def keep_results(path: str | Path, free: Iterable[str]) -> None:
    """`record_settings`, unless results of other settings lie in the folder, which would be lost.

    Args:
        path: of the JSON file; where nothing is beside it, its run left no results.
        free: keys that may differ, besides those that decide nothing.

    Raises:
        InputError: names a key that differs.
    """
    config, ignored = _checked_config(), {*free, *IRRELEVANT}
    path = Path(path)
    kept = path.is_file() and any(other.name not in (path.name, *AUDIT) for other in path.parent.iterdir())
    before = json.loads(path.read_text()) if kept else config
    ours, theirs = (without_descriptions(json.loads(_text(settings))) for settings in (config, before))
    for key in [key for key in {**theirs, **ours} if key not in ignored]:
        if ours.get(key) != theirs.get(key):
            raise InputError(f"{path.parent} holds results with another {key}: give another --output_dir.")
    record_settings(path)


def unknown_keys(config: dict) -> list[str]:
    """Top-level keys of a bundle configuration that nothing refers to; MONAI accepts and ignores them.

    Args:
        config: as parsed, overrides included.

    Returns:
        Their names: misspelt overrides, as a rule.
    """
    referred = set(re.findall(r"[@%](\w+)", json.dumps(config, default=str)))
    # an overlay may have no use for a setting, which is still one: a file describes it
    described = {setting.name for setting in settings_of(config)}
    known = STRUCTURE | FOLDERS | referred | described
    return [key for key in config if key not in known and not DESCRIPTION.match(key)]


def without_descriptions(item):
    """A setting as it is in a configuration, less what merely describes it."""
    if isinstance(item, dict):
        return {key: without_descriptions(value) for key, value in item.items() if not DESCRIPTION.match(key)}
    return [without_descriptions(value) for value in item] if isinstance(item, (list, tuple)) else item


def fixed_settings(config: dict) -> list[str]:
    """Names of all settings that may not change where a run is resumed."""
    free = STRUCTURE - {"network_def"} | FOLDERS | RESUMABLE
    parts = [f"{section}#{key}" for section in ("train", "validate") for key in config.get(section, {})]
    parts = [part for part in parts if part.partition("#")[2] not in RESUMABLE_PARTS]
    return [key for key in config if key not in free and not DESCRIPTION.match(key)] + parts


def _checked_config() -> dict:
    """The configuration in use; from here on, an `InputError` ends the process with its one sentence."""
    report_input_errors()
    config = config_in_use()
    unknown = unknown_keys(config)
    if unknown:
        candidates = [key for key in config if key not in unknown and not DESCRIPTION.match(key)]
        close = difflib.get_close_matches(unknown[0], candidates, 1)
        hint = f"did you mean {close[0]}?" if close else "correct or remove it."
        raise InputError(f"Nothing in this configuration uses the key {unknown[0]}: {hint}")
    check_kinds(config)
    return config


def config_in_use() -> dict:
    """The configuration that calls this, overrides included.

    MONAI hands a component no reference to the parser that instantiates it: it is looked up among the callers.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), ConfigParser):
            return frame.f_locals["self"].get()
        frame = frame.f_back
    raise RuntimeError("This is called from a MONAI configuration, or not at all.")


def _text(item) -> str:
    return json.dumps(item, default=plain)
