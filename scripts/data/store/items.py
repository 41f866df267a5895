"""A prepared item as a folder: large arrays as .npy files, which are mapped and not read, and all else as JSON."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import reset_ops_id

__all__ = ["ITEM", "is_whole", "read_item", "write_item"]

ITEM = "item.json"
INLINE = 1000  # numbers of an array that are written as text


def write_item(folder: Path, item: Any, paths: Sequence[str] = (), about: Mapping[str, Any] | None = None) -> None:
    """Write an item of tensors, arrays, numbers and text, in lists, tuples and dictionaries, to an empty folder.

    Every number is kept as it is. What a `MetaTensor` remembers of transforms loses their addresses, as in MONAI's own
    persistent data sets.

    Args:
        folder: of this item alone.
        item: what is written.
        paths: of its files; text that is one of them becomes the path of whoever reads it.
        about: is written beside it, for people.

    Raises:
        TypeError: there is something else in it.
        OSError: it cannot be written.
    """
    sizes: dict[str, int] = {}

    def keep(array: np.ndarray) -> str:
        name = f"{len(sizes)}.npy"
        with open(folder / name, "wb") as file:
            np.save(file, array)
            sizes[name] = file.tell()
            _settle(file)
        return name

    content = {"item": _packed(item, list(paths), keep), "files": sizes, "about": about}
    with open(folder / ITEM, "w", encoding="utf-8") as file:
        json.dump(content, file)
        _settle(file)


def is_whole(folder: Path) -> bool:
    """Whether a folder holds an item, and each of its files is as long as it was."""
    try:
        sizes = _content(folder)["files"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def read_item(folder: Path, paths: Sequence[str] = ()) -> Any:
    """The item of a folder. Its large arrays are read where they are looked at; what is written to them stays here.

    Args:
        folder: of an item that is whole.
        paths: of its files now.
    """
    return _unpacked(_content(folder)["item"], paths, folder)


def _content(folder: Path) -> dict:
    return json.loads((folder / ITEM).read_text(encoding="utf-8"))


def _settle(file) -> None:
    """On the disk before the folder gets its name, or a power cut leaves a name without content."""
    file.flush()
    os.fsync(file.fileno())


def _packed(value: Any, paths: list[str], keep: Callable[[np.ndarray], str]) -> Any:
    if isinstance(value, str):
        return {"path": paths.index(value)} if value in paths else str.__str__(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, Mapping):
        return {"dict": [[str.__str__(key), _packed(part, paths, keep)] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_packed(part, paths, keep) for part in value]}
    if isinstance(value, MetaTensor):
        beside = {"meta": value.meta, "applied_operations": reset_ops_id(value.applied_operations)}
        return {"image": [_packed(part, paths, keep) for part in (value.as_tensor(), beside)]}
    if isinstance(value, torch.Tensor):
        return {"tensor": _packed(value.detach().cpu().numpy(), paths, keep)}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufc":
        array = np.asarray(value)
        small = array.size <= INLINE
        return {"array": [array.dtype.str, array.shape, array.tolist()] if small else keep(np.ascontiguousarray(array))}
    raise TypeError(f"{type(value).__qualname__} cannot be kept on disk.")


def _unpacked(value: Any, paths: Sequence[str], folder: Path) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "path":
        return paths[content]
    if kind == "dict":
        return {key: _unpacked(part, paths, folder) for key, part in content}
    if kind == "array":
        return _array(content, folder)
    if kind == "tensor":
        return torch.from_numpy(_unpacked(content, paths, folder))
    parts = [_unpacked(part, paths, folder) for part in content]
    if kind == "image":
        return MetaTensor(parts[0], **parts[1])
    return tuple(parts) if kind == "tuple" else parts


def _array(content: Any, folder: Path) -> np.ndarray:
    if isinstance(content, str):
        return np.load(folder / content, mmap_mode="c")
    dtype, shape, numbers = content
    return np.array(numbers, dtype).reshape(shape)
