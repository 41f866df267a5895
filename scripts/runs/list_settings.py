"""A bundle's settings, each with its default, what it may be and what it means."""

import argparse
import json
import textwrap
from pathlib import Path

from monai.bundle import ConfigParser

from ..errors import InputError, report_input_errors
from .kinds import settings_of

__all__ = ["format_settings"]

WIDTH, INDENT = 100, 8


def format_settings(files: list[str]) -> str:
    """The settings of configurations as text, two lines or more each: name and default; kind and meaning.

    Args:
        files: of a bundle, as for `monai.bundle run`; a later one overrides those before it.

    Raises:
        InputError: there is no such file.
    """
    for file in files:
        if not Path(file).is_file():
            raise InputError(f"There is no {file}: give configurations of a bundle, such as configs/train.json.")
    lines = []
    for setting in settings_of(ConfigParser.load_config_files(files)):
        lines.append(f"--{setting.name} {json.dumps(setting.value)}")
        text = "; ".join(filter(None, (setting.kind, setting.description)))
        lines += textwrap.wrap(text, WIDTH, initial_indent=" " * INDENT, subsequent_indent=" " * INDENT)
    return "\n".join(lines)


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m scripts.runs.list_settings", description=__doc__)
    parser.add_argument("files", nargs="+", help="configurations, such as configs/train.json configs/evaluate.json")
    print(format_settings(parser.parse_args().files))
