"""The configuration that is being run: found, checked before anything is read or written, or listed."""

import difflib
import inspect
import json
import re
from collections.abc import Iterator
from types import FrameType

from monai.bundle import ConfigParser, ConfigWorkflow

from ..distributed import rank
from ..errors import InputError, report_input_errors
from .kinds import DESCRIPTION
from .list_settings import help_text
from .values import settle_values

__all__ = ["check_configuration", "config_in_use", "unknown_keys", "without_descriptions"]

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
        InputError: a key is misspelt, a value is not what it may be, or a setting was given without dashes.
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


def without_descriptions(item):
    """A setting as it is in a configuration, less what merely describes it."""
    if isinstance(item, dict):
        return {key: without_descriptions(value) for key, value in item.items() if not DESCRIPTION.match(key)}
    return [without_descriptions(value) for value in item] if isinstance(item, (list, tuple)) else item


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


def _callers(kind: type) -> Iterator:
    frame: FrameType | None = inspect.currentframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), kind):
            yield frame.f_locals["self"]
        frame = frame.f_back
