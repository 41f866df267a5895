"""All that a part of a configuration depends on."""

from collections.abc import Iterable

from monai.bundle import ConfigParser

from .configuration import config_in_use
from .references import referred_to
from .settings import IRRELEVANT

__all__ = ["settings_behind"]


def settings_behind(keys: Iterable[str]) -> list[str]:
    """What some keys of the configuration that is being run refer to, and what that refers to, and so on.

    Args:
        keys: such as `loss` or `train#items`; themselves are not among what is returned.

    Returns:
        Keys, less those that decide nothing, such as a device.
    """
    return [key for key in referred_to(ConfigParser(config_in_use()), keys) if key not in IRRELEVANT]
