"""Which file a table means that names a scan: by its path, or by a name that is found once among all scans."""

import os
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ..errors import InputError, some
from .files import Kind, sort_files
from .names.masks import is_mask
from .scan_list import read_list
from .stem import NIFTI, scan_stem

__all__ = ["NamedScans"]


class NamedScans:
    """Scans by what a table calls them, with or without .nii or .nii.gz.

    Args:
        folder: of the table.
        dataset_dir: folder, or JSON or CSV list, of scans; None, or null as a command line says it: there is none.
    """

    def __init__(self, folder: str | os.PathLike, dataset_dir: str | os.PathLike | None = None) -> None:
        self.folder = _absolute(folder)
        self.dataset = None if dataset_dir in (None, "null", "") else _absolute(dataset_dir)

    def path(self, name: str, where: str) -> str:
        """Absolute path of the scan that a row names.

        A path counts from the table's folder or from `dataset_dir`. What is none there is the end of one: `P01` is
        `site1/P01.nii.gz`, and so is `site1/P01`, wherever in `dataset_dir` that is. Masks are called like scans, and
        only meant by their paths.

        Args:
            name: as the row has it.
            where: the row, as a sentence begins.

        Raises:
            InputError: there is no such scan, or more than one.
        """
        found = _different(self._as_path(name) or self._as_end(name))
        if len(found) > 1:
            raise InputError(f"{where}: the scan {name} may be {some(found, between=' or ')}: give its path.")
        if not found:
            raise InputError(f"{where}: there is no scan {name} {self._looked_in()}: correct its name or its path.")
        return found[0]

    def _as_path(self, name: str) -> list[Path]:
        folders = [self.folder, *([self.dataset] if self.dataset and self.dataset.is_dir() else [])]
        paths = [_absolute(folder / os.path.expanduser(name + suffix)) for folder in folders for suffix in ("", *NIFTI)]
        return [path for path in paths if path.is_file()]

    def _as_end(self, name: str) -> list[Path]:
        *above, last = Path(name).parts or ("",)
        return [path for path in self._by_name[last] if list(path.parts[:-1][-len(above) :]) == above or not above]

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        """All scans of `dataset_dir`, each by its file's name and by that without suffix."""
        found = defaultdict[str, list[Path]](list)
        for path in self._of_dataset():
            for name in {path.name, scan_stem(path)}:
                found[name].append(path)
        return found

    def _of_dataset(self) -> list[Path]:
        if self.dataset is None:
            return []
        if self.dataset.is_file():
            return [Path(scan["image"]) for scan in read_list(self.dataset, ["image"])]
        files = sort_files(self.dataset).paths[Kind.NIFTI]
        return [path for path in files if not is_mask(path.relative_to(self.dataset))]

    def _looked_in(self) -> str:
        return f"in {self.folder}" + (f" or {self.dataset}" if self.dataset else ", and dataset_dir is not given")


def _absolute(path: str | os.PathLike) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def _different(paths: Iterable[Path]) -> list[str]:
    """One path of each file, by which it is known from then on: the first."""
    found: dict[str, str] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path), str(path))
    return list(found.values())
