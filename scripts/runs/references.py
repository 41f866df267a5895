"""What the parts of a configuration refer to."""

import json
import re
from collections.abc import Iterable

from monai.bundle import ConfigParser

from ..atomic import plain
from .kinds import DESCRIPTION

__all__ = ["referred_to", "without_descriptions"]

REFERENCE = re.compile(r"@(\w+(?:(?:#|::)\w+)*)")


def referred_to(config: ConfigParser, keys: Iterable[str]) -> list[str]:
    """What some keys of a configuration refer to, and what that refers to, and so on.

    Args:
        config: as parsed, overrides included.
        keys: such as `loss` or `train#items`; themselves are not among what is returned, unless they are referred to.
    """
    found, waiting = dict[str, None](), [*keys]
    while waiting:
        text = json.dumps(without_descriptions(config[waiting.pop()]), default=plain)
        referred = [name.replace("::", "#") for name in REFERENCE.findall(text)]
        new = [name for name in dict.fromkeys(referred) if name in config and name not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return [*found]


def without_descriptions(item):
    """A setting as it is in a configuration, less what merely describes it."""
    if isinstance(item, dict):
        return {key: without_descriptions(value) for key, value in item.items() if not DESCRIPTION.match(key)}
    return [without_descriptions(value) for value in item] if isinstance(item, (list, tuple)) else item
