"""People told apart by parts of names, where no identifier says who they are."""

import re
from collections import defaultdict

from ...errors import some
from .levels import Levels, without_repeats
from .parts import BODY, PART_FOLDER, SHORT_VISIT, UID, bare, bare_front, is_place, part_number

__all__ = ["LIST", "Names", "people_of"]

LIST = "give dataset_dir a CSV list with the columns image and subject"
Names = tuple[str, ...]  # folders of a scan, and its name without suffix


def people_of(names: list[Names]) -> tuple[list[str], list[str]]:
    """Tell people apart by the parts of names.

    Args:
        names: of the scans, less folders that all have in common.

    Returns:
        The subject of each, and a sentence for each choice between two readings.
    """
    subjects, doubts = _chosen(_cores(names))
    if len(names) > 1 and len(set(subjects)) == 1 and not re.search(r"\d", subjects[0]):
        return _chosen(_full(names))  # all would be one: the words that were left out are people's
    return subjects, doubts


def _full(names: list[Names]) -> list[Names]:
    """Names less the folders of parts; those that numbers tell apart stay, as they may be people's."""
    numbered = _numbered_levels(names)
    return [(*_without_parts(parts[:-1], numbered), parts[-1]) for parts in names]


def _without_parts(folders: Names, numbered: set[int]) -> list[str]:
    return [folder for level, folder in enumerate(folders) if level in numbered or not PART_FOLDER.match(folder)]


def _numbered_levels(names: list[Names]) -> set[int]:
    """Levels whose folders of parts all have a number, and not all the same, below none that may be a person's."""
    numbers: dict[int, set[str]] = defaultdict(set)
    for *folders, _ in names:
        for level, folder in enumerate(folders):
            if PART_FOLDER.match(folder):
                numbers[level].add(part_number(folder))
            elif bare(folder) and not is_place(folder):
                break
    return {level for level, found in numbers.items() if "" not in found and len(found) > 1}


def _cores(names: list[Names]) -> list[Names]:
    """What is left of names without words that tell no people apart; all of a name of which nothing would be left."""
    full = _full(names)
    visits = _levels_of_visits(full)
    cores = [_core(parts, visits) for parts in full]
    cores = [tuple(filter(None, core)) or parts for core, parts in zip(cores, full, strict=True)]
    fronts = {core[-1]: bare_front(core[-1]) for core in cores}
    if len(set(fronts.values())) < len(fronts):  # T1_P01 and T2_P01 are one, CT_001 keeps its whole name
        cores = [(*core[:-1], fronts[core[-1]]) for core in cores]
    return cores


def _levels_of_visits(names: list[Names]) -> set[int]:
    """Levels whose folders are all called as visits are: m06, baseline."""
    folders: dict[int, list[str]] = defaultdict(list)
    for parts in names:
        for level, folder in enumerate(parts[:-1]):
            folders[level].append(folder)
    return {level for level, found in folders.items() if not any(map(_says_more, found))}


def _says_more(folder: str) -> bool:
    """Whether a folder may be more than a visit."""
    return bool(_bare_folder(folder)) and not SHORT_VISIT.fullmatch(folder)


def _core(parts: Names, visits: set[int]) -> Names:
    *above, stem = parts
    folders = ["" if level in visits else _bare_folder(folder) for level, folder in enumerate(above)]
    if not UID.fullmatch(stem):
        return (*folders, bare(stem))
    return (*folders, "" if any(folder and not is_place(folder) for folder in folders) else stem)


def _bare_folder(folder: str) -> str:
    if UID.fullmatch(folder) or BODY.fullmatch(folder.lower()):
        return ""
    return bare(folder) or (folder if part_number(folder) else "")


def _chosen(cores: list[Names]) -> tuple[list[str], list[str]]:
    """The part of each that says who the person is, and doubts."""
    if not cores:
        return [], []
    cores, doubts = _united(cores)
    while all(len(core) > 1 for core in cores) and len({core[0] for core in cores}) == 1:
        cores = [core[1:] for core in cores]
    if all(len(core) == 1 for core in cores):
        return [core[0] for core in cores], doubts
    levels = Levels(frozenset((core[0], core[1] if len(core) > 1 else "") for core in cores))
    doubts += _doubts(levels)
    if not levels.person_is_behind:
        return [core[0] for core in cores], doubts
    subjects, more = _chosen([core[1:] or core for core in cores])
    return subjects, doubts + more


def _united(cores: list[Names]) -> tuple[list[Names], list[str]]:
    """Names in which repeats of one person have one name, and doubts; topmost folders and files apart."""
    first, doubtful = without_repeats(core[0] for core in cores if len(core) > 1)
    last, more = without_repeats(core[-1] for core in cores)
    united = [
        (*(first[folder] if i == 0 else folder for i, folder in enumerate(core[:-1])), last[core[-1]]) for core in cores
    ]
    return united, [_doubt_of_repeats(names, table) for names, table in ((doubtful, first), (more, last)) if names]


def _doubt_of_repeats(names: list[str], people: dict[str, str]) -> str:
    united = some(dict.fromkeys(people[name] for name in names))
    return f"{some(names)} were taken for repeats of the same people ({united}); if each is another person, {LIST}."


def _doubts(levels: Levels) -> list[str]:
    """A sentence for each choice between two parts of names that could be otherwise."""
    before, behind = some(sorted(levels.groups)), some(sorted(levels.behind))
    if levels.person_is_behind and levels.shared:
        return [
            f"{some(levels.shared)} are names below several of {before}: each was taken for one person in all; "
            f"if they are other people, {LIST}."
        ]
    if levels.person_is_behind and not levels.is_place and levels.most > 1:
        return [f"{before} were taken for groups of people, who are {behind}; if each is one person, {LIST}."]
    if not levels.person_is_behind and levels.most > 1 and levels.behind_is_code:
        return [f"Each of {before} was taken for one person, and {behind} for scans of theirs; if not, {LIST}."]
    return []
