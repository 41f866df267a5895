"""What a setting may be: said at the beginning of its description, and checked before anything is read."""

import json
import math
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import InputError

__all__ = ["DESCRIPTION", "Setting", "check_kinds", "check_value", "fits", "is_expression", "settings_of"]

DESCRIPTION = re.compile(r"_desc_((?P<key>\w+)_)?$")  # of a setting, or of all
NUMBER = re.compile(r"(?P<three>three )?(?P<whole>whole )?numbers?(?P<bounds>( and)? (>=?|<=?) [\d.]+)*$")
BOUND = re.compile(r"(>=?|<=?) ([\d.]+)")
COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True)
class Setting:
    """A setting of a configuration that is described there.

    Attributes:
        name: its key.
        value: as it is in the configuration; an expression (`$...`, `@...`) is not evaluated.
        kind: what it may be, as `fits` reads it.
        description: what it means.
    """

    name: str
    value: Any
    kind: str
    description: str


def settings_of(config: dict) -> Iterator[Setting]:
    """The described settings of a configuration: `"_desc_KEY_": "kind; description"` stands before `"KEY": value`.

    Args:
        config: as parsed, overrides included.
    """
    for key, text in config.items():
        match = DESCRIPTION.match(key)
        if match and match["key"] in config and not isinstance(config[match["key"]], dict):
            kind, _, description = text.partition("; ")
            yield Setting(match["key"], config[match["key"]], kind, description)


def check_kinds(config: dict) -> None:
    """Check each described setting of a configuration that is no expression.

    Args:
        config: as parsed, overrides included.

    Raises:
        InputError: names a setting, its value and what is allowed.
    """
    for setting in settings_of(config):
        if not is_expression(setting.value):
            check_value(setting, setting.value)


def is_expression(value: Any) -> bool:
    """Whether MONAI evaluates a value of a configuration."""
    return isinstance(value, str) and value[:1] in ("$", "@")


def check_value(setting: Setting, value: Any) -> None:
    """Check a value of a setting.

    Raises:
        InputError: names the setting, the value and what is allowed.
    """
    if not fits(setting.kind, value):
        raise InputError(f"{setting.name} is {_as_said(value)}: give {_what(setting, value)}.")
    if setting.kind == "device" and str(value).startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"{setting.name} is {value}, but torch finds no GPU here: give cpu.")


def _as_said(value: Any) -> str:
    return json.dumps(value, default=str)


def _what(setting: Setting, value: Any) -> str:
    """What is allowed, in words."""
    article = "" if setting.kind.startswith(("three", "one of", "true")) else "a "
    meaning = f" ({setting.description})" if setting.description else ""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # 2024_01_05 is a number to a command line, so that what is meant cannot be told from it
    example = (
        f", such as ./{value}, which is no number to a command line" if setting.kind[:4] == "path" and is_number else ""
    )
    return f"{article}{setting.kind}{meaning}{example}"


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a kind.

    Args:
        kind: `path`, `text`, `whole number or text`, `device`, `true or false`, `one of A, B, ...`, `share or whole
            number`; or `number`, `whole number`, `three numbers`, `three whole numbers` with bounds such as `> 0 and
            <= 1`; `list of KIND`; `lists of text by name`; `KIND or null`.
        value: of a setting.

    Raises:
        ValueError: there is no such kind.

    Example:
        >>> fits("three numbers > 0", [2, 2, 3]), fits("path or null", None), fits("whole number >= 1", 0.5)
        (True, True, False)
    """
    if kind.endswith(" or null"):
        return value is None or fits(kind.removesuffix(" or null"), value)
    if kind.startswith("list of "):
        return isinstance(value, (list, tuple)) and all(fits(kind.removeprefix("list of "), item) for item in value)
    if kind.startswith("one of "):
        return value in kind.removeprefix("one of ").split(", ")
    if match := NUMBER.match(kind):
        numbers = value if match["three"] else [value]
        count = 3 if match["three"] else 1
        return isinstance(numbers, (list, tuple)) and len(numbers) == count and all(_is(kind, one) for one in numbers)
    return SIMPLE[kind](value) if kind in SIMPLE else _no_kind(kind)


def _is(kind: str, value: Any) -> bool:
    """Whether one number is finite, whole if it has to be, and within the bounds."""
    if isinstance(value, bool) or not isinstance(value, int if "whole" in kind else (int, float)):
        return False
    if not math.isfinite(value):
        return False
    return all(COMPARE[sign](value, float(bound)) for sign, bound in BOUND.findall(kind))


def _is_device(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(torch.device(value))
    except RuntimeError:
        return False


def _no_kind(kind: str) -> bool:
    raise ValueError(f"There is no kind of setting '{kind}'.")


SIMPLE = {
    "true or false": lambda value: value in (True, False, "true", "false"),
    "path": lambda value: isinstance(value, str) and bool(value),
    "text": lambda value: isinstance(value, (str, int, float)),
    "lists of text by name": lambda value: (
        isinstance(value, dict) and all(fits("list of text", x) for x in value.values())
    ),
    "whole number or text": lambda value: isinstance(value, (str, int)) and not isinstance(value, bool),
    "device": _is_device,
    "share or whole number": lambda value: fits("number > 0 and < 1", value) or fits("whole number >= 1", value),
}
