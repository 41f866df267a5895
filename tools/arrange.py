"""The order of a configuration: settings, then components in the order in which data meets them.

What a layer adds goes where it belongs: a setting before the network, a component before what first refers to it. In
the layer, too, what is referred to stands before what refers to it.
"""

import json
import re

from scripts.runs.kinds import DESCRIPTION

__all__ = ["arrange", "keys_of"]


def keys_of(config: dict) -> dict[str, set[str]]:
    """Keys of a configuration and of its sections."""
    sections = {name: set(value) for name, value in config.items() if isinstance(value, dict)}
    return {"": set(config)} | sections


def arrange(config: dict, known: dict[str, set[str]]) -> dict:
    """A configuration with its new keys in their places.

    Args:
        config: with a layer over it.
        known: `keys_of` it without that layer, which stay where they are.
    """
    for name, section in config.items():
        if isinstance(section, dict) and name in known:
            config[name] = _place_new(section, known[name], f"{name}#")
    return _describe_first(_place_new(config, known[""], ""))


def _place_new(section: dict, known: set[str], prefix: str) -> dict:
    order = [key for key in section if key in known]
    new = [key for key in section if key not in known]
    settings = [key for key in new if "network_def" in order and "_target_" not in json.dumps(section[key])]
    if settings:
        at = order.index("network_def")
        order[at:at] = settings
    last = order[-1:]
    for key in reversed([key for key in new if key not in settings]):  # so that those it refers to come before it
        behind = order.index(last[0]) + 1 if last else 0
        order.insert(_first_referrer(section, order, f"@{prefix}{key}", behind), key)
    return {key: section[key] for key in order}


def _first_referrer(section: dict, order: list[str], reference: str, otherwise: int) -> int:
    """Where in an order the first stands that has a reference."""
    pattern = re.compile(rf"{re.escape(reference)}\b")
    return next((i for i, key in enumerate(order) if pattern.search(json.dumps(section[key]))), otherwise)


def _describe_first(config: dict) -> dict:
    """Each `_desc_KEY_` right before its KEY."""
    described = {match["key"]: key for key in config if (match := DESCRIPTION.match(key))}
    order = []
    for key in config:
        if not (match := DESCRIPTION.match(key)) or match["key"] not in config:
            order += [described[key], key] if key in described else [key]
    return {key: config[key] for key in order}
