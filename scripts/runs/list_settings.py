"""A bundle's settings, each with its default, what it may be and what it means."""

import json
import textwrap
from pathlib import Path

from .kinds import settings_of

__all__ = ["help_text"]

WIDTH, INDENT = 100, 8


def help_text(config: dict) -> str:
    """What `--help` says of a configuration that is run: what it does, its settings, and all that lies beside it.

    Args:
        config: as parsed, overrides included.
    """
    folder = Path(str(config.get("bundle_root", "."))) / "configs"
    parts = [_indented(config.get("_desc_", "")), "", "Settings, as they are now:", _settings(config), ""]
    parts += [f"In {folder}, to be run or, if overlays, to follow in the list of configurations:"]
    return "\n".join([*parts, *map(_about, _configurations(folder))])


def _settings(config: dict) -> str:
    lines = []
    for setting in settings_of(config):
        lines.append(f"--{setting.name} {json.dumps(setting.value, default=str)}")
        lines.append(_indented("; ".join(filter(None, (setting.kind, setting.description)))))
    return "\n".join(lines)


def _configurations(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.json") if path.name != "metadata.json")


def _about(path: Path) -> str:
    """Name of a configuration, what it is for, and the settings that an overlay adds."""
    config = json.loads(path.read_text(encoding="utf-8"))
    text, is_overlay = config.get("_desc_", ""), "bundle_root" not in config
    own = ", ".join(setting.name for setting in settings_of(config)) if is_overlay else ""
    prefix = "" if text.startswith("Overlay") or not is_overlay else "Overlay: "
    return f"configs/{path.name}\n" + _indented(f"{prefix}{text}" + (f" Its settings: {own}." if own else ""))


def _indented(text: str) -> str:
    indent = " " * INDENT
    return "\n".join(textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent))
