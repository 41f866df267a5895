"""All that a part of a configuration depends on."""

import json
import re
from collections.abc import Iterable

from monai.bundle import ConfigParser

from ..atomic import plain
from .configuration import config_in_use, without_descriptions
from .settings import IRRELEVANT

__all__ = ["settings_behind"]

REFERENCE = re.compile(r"@(\w+(?:(?:#|::)\w+)*)")


def settings_behind(keys: Iterable[str]) -> list[str]:
    """What some keys of the configuration that is being run refer to, and what that refers to, and so on.

    Args:
        keys: such as `loss` or `train#items`; themselves are not among what is returned.

    Returns:
        Keys, less those that decide nothing, such as a device.
    """
    config, found, waiting = ConfigParser(config_in_use()), dict[str, None](), [*keys]
    while waiting:
        text = json.dumps(without_descriptions(config[waiting.pop()]), default=plain)
        referred = [name.replace("::", "#") for name in REFERENCE.findall(text)]
        new = [name for name in dict.fromkeys(referred) if name in config and name not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return [key for key in found if key not in IRRELEVANT]
