"""Landmarks that somebody marked in scans: points and boxes of a table, or the structures of masks."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError, some
from ..progress import with_progress
from .checks.remembered import facts_of
from .cohort import find_scans
from .landmark_masks import places_in_mask
from .landmark_table import Row, has_points, read_rows
from .named_scan import NamedScans
from .structures import read_structures
from .voxel_grid import Grid, grid_of

__all__ = [
    "Landmark",
    "MarkedScan",
    "landmark_names",
    "marks_in",
    "read_landmarks",
    "require_readable",
    "warn_of_example",
]

logger = logging.getLogger(__name__)

NONE = (None, "null", "")
TABLES, LISTS = (".csv", ".tsv"), (".csv", ".json")
ROUNDED = 1.0  # mm that a point may be outside of its scan, since programs differ in where a voxel ends


@dataclass(frozen=True)
class Landmark:
    """A place in a scan.

    Attributes:
        name: the same in all scans.
        point: mm, RAS+, in the world of the scan's header.
        size: along the world's axes, in mm, of a box whose middle is the point; None: it is a point.
    """

    name: str
    point: tuple[float, float, float]
    size: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class MarkedScan:
    """A scan and all that is marked in it.

    Attributes:
        image: absolute path.
        landmarks: at least one, each name once.
    """

    image: str
    landmarks: tuple[Landmark, ...]


def read_landmarks(
    path: str | os.PathLike,
    dataset_dir: str | os.PathLike | None = None,
    structures: str | os.PathLike | None = None,
    converted_dir: str | os.PathLike | None = None,
) -> list[MarkedScan]:
    """Read what is marked in some scans, and log it.

    Args:
        path: a CSV table with the columns scan, name, x, y, z (mm, RAS+) and, for boxes, size_x, size_y, size_z; or
            scans with masks, as a folder or a list that `find_scans` takes: of each structure the centre of mass is the
            point, and the box around it, as `places_in_mask` has it, the size.
        dataset_dir: folder or list in which scans are looked for that the table calls by their files' names.
        structures: CSV table (name, values) of the structures of masks; None (or null, as a command line says it): each
            value is one, called by its number.
        converted_dir: where scans with masks are, or go, as NIfTI, if they have another format; None: beside `path`.

    Returns:
        The scans in which something is marked.

    Raises:
        InputError: names the row, the mask or the scan that cannot be used, or nothing is marked.
    """
    if path in NONE:
        raise InputError("landmarks is not given: give a CSV table with the columns scan, name, x, y and z, or masks.")
    source = Path(path).expanduser().absolute()
    if dataset_dir not in NONE and not Path(dataset_dir).expanduser().exists():
        raise InputError(f"There is no {dataset_dir}: give dataset_dir the folder of your scans, or a list.")
    if _is_table(source):
        if structures not in NONE:
            raise InputError(f"structures names values of masks, but {source} is a table of points: leave it out.")
        marked = _of_table(source, dataset_dir)
    else:
        marked = _of_masks(source, structures, converted_dir or source.with_name(f"{source.name}_converted"))
    if not marked:
        raise InputError(f"Nothing is marked in the scans of {source}: give at least one landmark.")
    _tell(source, marked)
    return marked


def require_readable(marked: Sequence[MarkedScan]) -> Sequence[MarkedScan]:
    """Marked scans, each of which was read to its end.

    Raises:
        InputError: names the first that cannot be used.
    """
    for scan in marked:
        if fault := facts_of(scan.image).fault:
            raise InputError(f"{scan.image}, in which landmarks are marked, {fault}: mend it, or mark another scan.")
    return marked


def warn_of_example(landmarks: str | os.PathLike, example: str | os.PathLike) -> None:
    """Log what landmarks are worth that a bundle brings along, where no others were given."""
    if Path(landmarks) == Path(example):
        logger.warning(
            "No landmarks were given: organs of a synthetic body are sought, which the weights do not know. It is an "
            "example, and where they are found means nothing: give landmarks of your own."
        )


def landmark_names(marked: Iterable[MarkedScan]) -> list[str]:
    """All names, each once, in the order in which they appear."""
    return list(dict.fromkeys(landmark.name for scan in marked for landmark in scan.landmarks))


def marks_in(marked: Iterable[MarkedScan], image: str | os.PathLike) -> tuple[Landmark, ...]:
    """What is marked in a scan, under whatever path it is known; nothing where nothing is."""
    own = os.path.realpath(image)
    return next((scan.landmarks for scan in marked if os.path.realpath(scan.image) == own), ())


def _is_table(source: Path) -> bool:
    """Whether it is a table of points, and no scans with masks."""
    if not source.exists():
        raise InputError(f"There is no {source}: give landmarks a CSV table of points, or scans with masks.")
    suffix = "" if source.name.lower().endswith(".mrk.json") else source.suffix.lower()
    if source.is_file() and suffix not in (*TABLES, *LISTS):
        raise InputError(
            f"{source} is neither a CSV table nor a folder or list of scans with masks: write points with the columns "
            "scan, name, x, y and z in mm, RAS+ (files of 3D Slicer do not say of which scan they are; where they are "
            "in LPS, change the sign of x and y)."
        )
    return source.is_file() and suffix in TABLES and has_points(source)


def _of_table(source: Path, dataset_dir: str | os.PathLike | None) -> list[MarkedScan]:
    scans, found = NamedScans(source.parent, dataset_dir), defaultdict[str, list[Row]](list)
    for row in read_rows(source):
        found[scans.path(row.scan, row.where)].append(row)
    for image, rows in found.items():
        _check_names(rows, image)
        grid = grid_of(image)
        for row in rows:
            _check_inside(row, image, grid)
    return [
        MarkedScan(image, tuple(Landmark(row.name, row.point, row.size) for row in rows))
        for image, rows in found.items()
    ]


def _check_names(rows: Sequence[Row], image: str) -> None:
    often = Counter(row.name for row in rows)
    last = next((row for row in reversed(rows) if often[row.name] > 1), None)
    if last:
        raise InputError(f"{last.where}: {last.name} is marked more than once in {image}: leave one, or rename it.")


def _check_inside(row: Row, image: str, grid: Grid) -> None:
    """Raise an `InputError` where a point is outside of its scan."""
    outside = grid.mm_outside(row.point)
    if outside <= ROUNDED:
        return
    x, y, z = row.point
    cure = "give mm in the world of the scan's header, RAS+"
    if grid.mm_outside((-x, -y, z)) <= ROUNDED:
        cure = f"({-x:g}, {-y:g}, {z:g}) is inside, and points in LPS, as ITK and 3D Slicer write them, have x and y "
        cure += "with the other sign: change that"
    raise InputError(
        f"{row.where}: {row.name}, at ({x:g}, {y:g}, {z:g}) mm, is {outside:.1f} mm outside of {image}, whose voxels "
        f"are in {grid.extent()} mm: {cure}."
    )


def _of_masks(source: Path, table: str | os.PathLike | None, converted_dir: str | os.PathLike) -> list[MarkedScan]:
    structures = None if table in NONE else read_structures(table)
    scans = find_scans(source, synthetic_dir=converted_dir, converted_dir=converted_dir)
    masked = [scan for scan in scans if "label" in scan]
    if not masked:
        raise InputError(
            f"None of {len(scans)} scans of {source} has a mask: give landmarks scans with masks, or a table."
        )
    found = list[MarkedScan]()
    for scan in with_progress(masked, "Reading mask"):
        places = places_in_mask(scan["label"], scan["image"], structures)
        if places:
            found.append(MarkedScan(scan["image"], tuple(Landmark(name, *place) for name, place in places.items())))
    absent = [name for name in structures.names if name not in landmark_names(found)] if structures else []
    if absent:
        logger.warning(f"No mask has {some(absent)}, which {table} names. Correct its values if they are mistyped.")
    return found


def _tell(source: Path, marked: Sequence[MarkedScan]) -> None:
    """Log what is marked, with a warning of what is not marked in all of the scans."""
    often, scans = Counter(landmark.name for scan in marked for landmark in scan.landmarks), len(marked)
    logger.info(f"{source}: {len(often)} landmarks ({some(often, most=8)}) in {scans} annotated scans")
    rare = [f"{name} (in {number})" for name, number in often.items() if number < scans]
    if rare:
        logger.warning(
            f"Not all of {scans} annotated scans have {some(rare)}. Mark it in the others too, or ignore this if they "
            "do not show it."
        )
