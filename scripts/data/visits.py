"""Which images were taken on one occasion."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Image", "Visit", "visits_of"]


@dataclass(frozen=True)
class Image:
    """A file, and what its name says.

    Args:
        path: absolute.
        subject: whose it is.
        modality: its kind.
        visit: words of its path that say a visit or a date.
        rest: its path less its modality.
        synthetic: whether a network made it.
        label: its mask, or masks, where there are some.
    """

    path: str
    subject: str
    modality: str
    visit: frozenset[str] = frozenset()
    rest: str = ""
    synthetic: bool = False
    label: str | list[str] | None = None


Visit = dict[str, Image]  # by modality


def visits_of(images: Iterable[Image]) -> tuple[list[Visit], list[Image]]:
    """Put images of a subject and a visit together.

    Where names that differ in the modality alone say that a subject was seen several times (`P1_a_t1`, `P1_a_t2`,
    `P1_b_t1`, `P1_b_t2`), these are visits as well, and an image that has no such partner is of the first that lacks
    one of its kind. Of several images of a modality the first by name is taken; a real one before a synthetic one.

    Returns:
        The visits, and other real images of a modality that their visit has already.
    """
    groups = defaultdict[tuple, list[Image]](list)
    for image in images:
        groups[image.subject, tuple(sorted(image.visit))].append(image)
    visits, others = [], []
    for _, group in sorted(groups.items()):
        found, left = _visits(group)
        visits += found
        others += left
    return visits, others


def _visits(images: list[Image]) -> tuple[list[Visit], list[Image]]:
    kinds = defaultdict[str, set[str]](set)
    for image in images:
        kinds[image.rest].add(image.modality)
    whole = sorted(rest for rest, found in kinds.items() if len(found) > 1) or [min(kinds)]
    visits: dict[str, Visit] = {rest: {} for rest in whole}
    others = []
    for image in sorted(images, key=lambda image: (image.synthetic, image.rest not in visits, image.path)):
        own = [visits[image.rest]] if image.rest in visits else list(visits.values())
        free = next((visit for visit in own if image.modality not in visit), None)
        if free is not None:
            free[image.modality] = image
        elif not image.synthetic:
            others.append(image)
    return list(visits.values()), others
