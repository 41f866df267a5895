"""Genotypes as PLINK writes them: a table with a line a person and a column a variant."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ..errors import InputError, require_package, shorten, some
from .table_cells import Cells

__all__ = ["is_plink", "read_plink"]

BINARY, TEXT = ".bed", ".raw"
OF_PERSON = ("FID", "IID", "PAT", "MAT", "SEX", "PHENOTYPE")  # of a .raw, before its variants


def is_plink(path: str) -> bool:
    """Whether a file is one of PLINK's, by its name."""
    return Path(path).suffix.lower() in (BINARY, TEXT)


def read_plink(path: str) -> Cells:
    """Read a .bed, beside which lie its .bim and .fam, or a .raw (`plink --recode A`).

    A cell is how many copies of the counted allele (A1) a person has, nan where that is missing; persons are called by
    their IID. A column is called `rs123 chr1:12345_A`, or `1:12345:A:G_A` where its name has its place, or
    `chr1:12345_A` where it has none; a .raw has places where a .bim of its name lies beside it.

    Raises:
        InputError: it cannot be read, bed-reader is not installed, or two persons or variants have one name.
    """
    binary = Path(path).suffix.lower() == BINARY
    if binary:
        require_package("bed-reader", f"{path}, a table of genotypes,", module="bed_reader")
    try:
        names, columns, values = (_binary if binary else _text)(path)
    except (OSError, ValueError, LookupError) as error:  # bed-reader's are ValueErrors
        wanted = "a .bed with its .bim and .fam beside it" if binary else "what plink --recode A writes"
        raise InputError(f"{path} cannot be read ({shorten(error)}): give {wanted}.") from error
    for what, given in {"persons": names, "variants": columns}.items():
        if twice := [name for name, times in Counter(given).items() if times > 1]:
            raise InputError(f"{path} has two {what} called {some(twice)}: give each a name of its own.")
    return Cells(names, columns, values, {})


def _binary(path: str) -> tuple[list[str], list[str], np.ndarray]:
    """Persons, columns and values of a .bed."""
    from bed_reader import open_bed

    with open_bed(path, num_threads=1) as file:
        variants = zip(file.sid, file.allele_1, file.chromosome, file.bp_position, strict=True)
        columns = [_column(*map(str, variant)) for variant in variants]
        return [str(name) for name in file.iid], columns, file.read(dtype="float32")


def _text(path: str) -> tuple[list[str], list[str], np.ndarray]:
    """Persons, columns and values of a .raw."""
    with open(path, encoding="utf-8") as file:
        head = file.readline().split()
        if tuple(head[: len(OF_PERSON)]) != OF_PERSON:
            raise ValueError(f"its first line does not begin with {' '.join(OF_PERSON)}")
        lines = [line.split() for line in file if line.strip()]
    places = dict(_places(Path(path).with_suffix(".bim")))
    variants = [name.rpartition("_") for name in head[len(OF_PERSON) :]]
    columns = [_column(sid, allele, *places.get(sid, ("0", "0"))) for sid, _, allele in variants]
    return [line[1] for line in lines], columns, np.array([_row(line, len(head)) for line in lines])


def _row(line: list[str], length: int) -> np.ndarray:
    if len(line) != length:
        raise ValueError(f"{line[1]} has {len(line)} cells, and the first line {length}")
    return np.array(["nan" if cell == "NA" else cell for cell in line[len(OF_PERSON) :]], np.float32)


def _places(bim: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Chromosome and position of each variant of a .bim, if there is such a file."""
    lines: Iterable[str] = bim.read_text(encoding="utf-8").splitlines() if bim.is_file() else ()
    for chromosome, sid, _, position, *_ in (line.split() for line in lines if line.strip()):
        yield sid, (chromosome, position)


def _column(sid: str, allele: str, chromosome: str, position: str) -> str:
    """What a variant is called; chromosome or position 0 is not known."""
    chromosome = chromosome.removeprefix("chr")
    if "0" in (chromosome, position):
        return f"{sid}_{allele}"
    place = f"{chromosome}:{position}"
    if sid == ".":
        return f"chr{place}_{allele}"
    has_place = f"{sid.removeprefix('chr')}:".startswith(f"{place}:")
    return f"{sid}_{allele}" if has_place else f"{sid} chr{place}_{allele}"
