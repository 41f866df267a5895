"""Settings as they are meant, where MONAI or a file's format reads something else."""

import logging
import re
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from ..errors import InputError, shorten
from .kinds import Setting, check_kinds, check_value, is_expression, settings_of

__all__ = ["as_meant", "settle_values"]

logger = logging.getLogger(__name__)

NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)


def settle_values(parser: ConfigParser) -> None:
    """Check all described settings of a parsed configuration, and put there what is meant.

    A number that is written as a word becomes one (`1e-4` in YAML, which wants a point), and the word `null`, as a
    command line has it, None; a `#` stands again in a path, where MONAI has put `::`; expressions that make a path are
    evaluated, so that one that cannot be is named.

    Raises:
        InputError: names a setting, its value and what is allowed.
    """
    config, resolver = parser.get(), parser.ref_resolver
    for setting in settings_of(config):
        value = as_meant(setting.kind, setting.value)
        has_been_used = setting.name in resolver.resolved_content and not isinstance(value, str)
        if value != setting.value and not has_been_used:
            config[setting.name] = resolver.resolved_content[setting.name] = value
    check_kinds(config)
    for setting in settings_of(config):
        if is_expression(setting.value) and setting.kind.startswith("path"):
            check_value(setting, _evaluated(parser, setting))


def as_meant(kind: str, value: Any) -> Any:
    """A value of a configuration that MONAI has parsed, as it was meant where its kind tells.

    The word `null` stays one where a path may be: what reads paths knows it. A list of paths without quotes is text to
    a command line.

    Example:
        >>> as_meant("number > 0", "1e-4"), as_meant("three numbers > 0", [1, "2.5", 3]), as_meant("text", "Run ::1")
        (0.0001, [1, 2.5, 3], 'Run #1')
        >>> as_meant("list of path", "[/my/blood.csv, genes.csv]"), as_meant("list of path", "/my/blood.csv")
        (['/my/blood.csv', 'genes.csv'], ['/my/blood.csv'])
    """
    if value == "null" and kind.endswith(" or null") and not kind.startswith("path"):
        return None
    if kind.startswith("list of path") and isinstance(value, str) and not is_expression(value):
        value = [path for part in value.strip("[]").split(",") if (path := part.strip(" '\""))]
    if isinstance(value, list):
        return [as_meant(kind.removesuffix(" or null").removeprefix("list of "), one) for one in value]
    if not isinstance(value, str) or is_expression(value):
        return value
    if re.search(r"\bnumbers?\b", kind) and NUMERAL.match(value):
        return int(value) if value.lstrip("+-").isdigit() else float(value)
    if "::" in value and ("text" in kind or ("path" in kind and not Path(value).exists())):
        logger.warning(f"{value} is read as {value.replace('::', '#')}: to MONAI, # and :: are the same.")
        return value.replace("::", "#")
    return value


def _evaluated(parser: ConfigParser, setting: Setting) -> Any:
    """What an expression is worth that is to be a path: a `$` or `@` may be the first letter of a folder."""
    try:
        return parser.get_parsed_content(setting.name)
    except Exception as error:  # an expression can raise anything
        raise InputError(
            f"{setting.name} is {setting.value}, which MONAI takes for an expression "
            f"({shorten(error.__cause__ or error)}): a path that begins with $ or @ is written ./{setting.value}."
        ) from error
