"""Every bundle's configurations, composed of what is written once: `python -m tools.compose`, or `make configs`.

tools/configs has a folder for each layer (`training`, `pretraining`, `two_views`, ...) with the files that bundles get,
and methods/NAME.json for each bundle: `_bases_` names its layers, and a section for each file says what differs. A
later layer overrides an earlier one in MONAI's own language (`train#crops`, `+handlers`); a section that is null takes
a file away, and one with `_extends_` begins with another file of the bundle, or anew where that is null. `...` keeps a
place for what a later layer says, or takes away what an earlier one did; nothing may refer to one that stays empty.
`%FILE.json#KEY` stands for what is there.
"""

import argparse
import copy
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monai.bundle import ConfigParser
from monai.bundle.config_parser import merge_kv

from scripts.errors import InputError, report_input_errors

from .arrange import arrange, keys_of

__all__ = ["bundle_names", "compose", "write_bundle"]

ROOT = Path(__file__).parents[1]
SOURCES = Path(__file__).parent / "configs"
REFERENCE = re.compile(r"@(\w+(?:#\w+)*)")
LATER = "..."  # the place of what a later layer says; nothing stands there where none does


def bundle_names() -> list[str]:
    """Names of all bundles, each of which has a file in methods/."""
    return sorted(path.stem for path in (SOURCES / "methods").glob("*.json"))


def compose(bundle: str) -> dict[str, dict]:
    """The configurations of a bundle, by the name of their file without suffix.

    Args:
        bundle: its name.
    """
    own = _read(SOURCES / "methods" / f"{bundle}.json")
    layers = [{path.stem: _read(path) for path in _files(base)} for base in own["_bases_"]]
    layers.append({name: section for name, section in own.items() if name != "_bases_"})
    names = dict.fromkeys(name for layer in layers for name in layer)
    return {name: _compose_file(name, layers) for name in names if layers[-1].get(name, {}) is not None}


def write_bundle(bundle: str) -> None:
    """Write configs/, LICENSE and the link to scripts of a bundle's folder, which is made where there is none."""
    folder = ROOT / "bundles" / bundle
    composed = compose(bundle)
    (folder / "configs").mkdir(parents=True, exist_ok=True)
    for left in (folder / "configs").glob("*.json"):
        left.unlink()
    for name, config in composed.items():
        (folder / "configs" / f"{name}.json").write_text(as_text(config), encoding="utf-8")
    (folder / "configs" / "logging.conf").write_bytes((SOURCES / "logging.conf").read_bytes())
    (folder / "LICENSE").write_bytes((ROOT / "LICENSE").read_bytes())
    if not (folder / "scripts").is_symlink():
        (folder / "scripts").symlink_to(Path("..") / ".." / "scripts")


def as_text(config: dict) -> str:
    """What stands in a configuration's file."""
    return json.dumps(config, indent=4, ensure_ascii=False) + "\n"


def _compose_file(name: str, layers: list[dict[str, dict]]) -> dict:
    """One file of a bundle, of those layers that have it."""
    config = {}
    for layer in copy.deepcopy([layer[name] for layer in layers if name in layer]):
        if "_extends_" in layer:
            other = layer.pop("_extends_")
            config = _compose_file(other, layers) if other else {}
        config = _merge(config, _fill_in(layer))
    _require_filled(name, config)
    return _without_places(config)


def _merge(config: dict, layer: dict) -> dict:
    """A configuration with a layer over it; an overlay's keys stay as they are, since they are for another file."""
    if not {"bundle_root", "schema"} & config.keys():
        return config | layer
    parser, known = ConfigParser(config), keys_of(config)
    for key, value in layer.items():
        merge_kv(parser, key, value)
    return arrange(parser.get(), known)


def _fill_in(config: dict) -> dict:
    """Put what stands in other files where it is named, until no name is left: what is put there may have names too."""
    parser = ConfigParser(config)
    with _working_folder(SOURCES):
        while '"%' in json.dumps(parser.get()):
            parser.resolve_macro_and_relative_ids()
    return _as_written(parser.get())


def _as_written(item):
    """References with `#`; MONAI writes `::`, and reads either."""
    if isinstance(item, dict):
        return {key: _as_written(value) for key, value in item.items()}
    if isinstance(item, list):
        return [_as_written(value) for value in item]
    return item.replace("::", "#") if isinstance(item, str) and item[:1] in ("@", "$") else item


def _require_filled(name: str, config: dict) -> None:
    """Raise an `InputError` where something refers to a place in which nothing stands."""
    parser = ConfigParser(config)
    for reference in sorted(set(REFERENCE.findall(json.dumps(_without_places(config))))):
        if reference in parser and parser[reference] == LATER:
            raise InputError(
                f"{name}.json refers to {reference}, and no layer says what that is: add one that does to _bases_, or "
                "say it in the method."
            )


def _without_places(item):
    if isinstance(item, dict):
        absent = {name for key, value in item.items() if value == LATER for name in (key, f"_desc_{key}_")}
        return {key: _without_places(value) for key, value in item.items() if key not in absent}
    return [_without_places(value) for value in item] if isinstance(item, list) else item


def _files(base: str) -> list[Path]:
    found = sorted((SOURCES / base).glob("*.json"))
    if not found:
        raise InputError(f"There is no layer {base} in {SOURCES}: correct _bases_.")
    return found


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def _working_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m tools.compose", description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="*", help="names; all of them where none is given")
    for name in parser.parse_args().bundles or bundle_names():
        write_bundle(name)
        print(f"bundles/{name}/configs")
