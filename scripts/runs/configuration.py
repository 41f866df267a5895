"""The configuration that is being run: found, checked before anything is read or written, or listed."""

import difflib
import inspect
import json
import re
from collections.abc import Iterable, Iterator
from types import FrameType

from monai.bundle import ConfigParser, ConfigWorkflow, run

from ..distributed import rank
from ..errors import InputError, report_input_errors
from .kinds import DESCRIPTION, settings_of
from .list_settings import help_text
from .references import referred_to
from .values import settle_values

__all__ = ["check_configuration", "config_in_use", "idle_settings", "unknown_keys"]

# what is read by name, so that no other key has to refer to it
STRUCTURE = {
    "_meta_",
    "imports",
    "initialize",
    "fit",
    "run",
    "finalize",
    "network_def",
    "train",
    "validate",
    "evaluator",
}
# folders that no key may need any more where paths are overridden
FOLDERS = {"bundle_root", "dataset_dir", "output_dir", "ckpt_dir"}


def check_configuration() -> None:
    """Check the keys and values of the configuration that is being run, or list its settings and end, if it has `help`.

    From here on, values are what is meant (`settle_values`), and an `InputError` ends the process with its one
    sentence. It refers to no key, so that it is the first to see any.

    Raises:
        InputError: a key is misspelt, a value is not what it may be, a setting was given without dashes, or one that
            was given has no effect.
        SystemExit: the settings were listed.
    """
    report_input_errors()
    parser, config = _parser_in_use(), config_in_use()
    if config.get("help") in (True, "true") or config.get("h") is True:
        if rank() == 0:
            print(help_text(config))
        raise SystemExit(0)
    for words in _words_taken_for_sections(config):
        raise InputError(f"{words} is no part of this configuration: a setting has dashes before it, --max_epochs 3.")
    for key in unknown_keys(config):
        candidates = [known for known in config if known != key and not DESCRIPTION.match(known)]
        close = difflib.get_close_matches(key, candidates, 1)
        hint = f"did you mean {close[0]}?" if close else "correct or remove it (--help lists all settings)."
        raise InputError(f"Nothing in this configuration uses the key {key}: {hint}")
    for workflow in _callers(ConfigWorkflow):
        parts = ("imports", workflow.init_id, workflow.run_id, workflow.final_id)
        for key in [key for key in idle_settings(config, parts) if key in _given()]:
            raise InputError(
                f"{key} has no effect with these configuration files: leave it out, or the overlay without use for it."
            )
    settle_values(parser)


def config_in_use() -> dict:
    """The configuration that calls this, overrides included."""
    return _parser_in_use().get()


def unknown_keys(config: dict) -> list[str]:
    """Top-level keys of a bundle configuration that nothing refers to; MONAI accepts and ignores them.

    Args:
        config: as parsed, overrides included.

    Returns:
        Their names: misspelt overrides, as a rule.
    """
    referred = set(re.findall(r"[@%](\w+)", json.dumps(config, default=str)))
    # an overlay may have no use for a setting, which is still one: a file describes it
    described = {match["key"] for match in map(DESCRIPTION.match, config) if match}
    known = STRUCTURE | FOLDERS | referred | described
    return [key for key in config if key not in known and not DESCRIPTION.match(key)]


def idle_settings(config: dict, parts: Iterable[str]) -> list[str]:
    """Settings that have no effect, as no part that is run refers to them, nor anything that it refers to.

    Where an overlay takes the place of what uses one, that is so. What says how a network is trained is there to be
    given again with what evaluates it, so none are told of a configuration with `train`.

    Args:
        config: as parsed, overrides included.
        parts: which are run, such as `initialize` and `run`.
    """
    if "train" in config:
        return []
    parts = [part for part in parts if part in config]
    used = {name.partition("#")[0] for name in referred_to(ConfigParser(config), parts)} | {*parts}
    return [setting.name for setting in settings_of(config) if setting.name not in used | FOLDERS]


def _parser_in_use() -> ConfigParser:
    """The parser that instantiates what calls this: MONAI hands a component no reference to it."""
    parser = next(_callers(ConfigParser), None)
    if parser is None:
        raise RuntimeError("This is called from a MONAI configuration, or not at all.")
    return parser


def _words_taken_for_sections(config: dict) -> Iterator[str]:
    """What stood on the command line without dashes, which MONAI takes for names of sections."""
    for workflow in _callers(ConfigWorkflow):
        for given, usual in ((workflow.init_id, "initialize"), (workflow.final_id, "finalize")):
            if given not in config and given != usual:
                yield given


def _given() -> set[str]:
    """Top-level keys that were given on the command line: MONAI's `run` has them, and hands them to nothing."""
    given = [frame.f_locals["override"] for frame in _frames() if frame.f_code is run.__code__]
    return {re.split("#|::", key.lstrip("+~"))[0] for override in given for key in override}


def _callers(kind: type) -> Iterator:
    return (frame.f_locals["self"] for frame in _frames() if isinstance(frame.f_locals.get("self"), kind))


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
