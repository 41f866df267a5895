"""What of a segmentation is scored: its classes, or regions that are unions of them, as nested parts of a tumour."""

from collections.abc import Mapping, Sequence

from ..errors import InputError, some
from .structures import Structures

__all__ = ["regions_of_classes"]


def regions_of_classes(classes: Structures, regions: Mapping[str, Sequence[str]]) -> Structures:
    """Regions by their names, with the numbers of their classes, as a segmentation has them, in place of values.

    Args:
        classes: in the order of their numbers, from 1.
        regions: names of the classes that each is the union of; none of them: each class is a region by itself.

    Raises:
        InputError: a region has no class, one that there is not, or one twice.

    Example:
        >>> classes = Structures(("core", "oedema"), ((1, 4), (2,)))
        >>> regions_of_classes(classes, {"tumour": ["core", "oedema"], "core": ["core"]}).values
        ((1, 2), (1,))
    """
    parts = regions or {name: [name] for name in classes.names}
    numbers = {name: number for number, name in enumerate(classes.names, 1)}
    for region, names in parts.items():
        if not names or isinstance(names, str) or not set(names) <= numbers.keys():
            raise InputError(
                f"regions has {names} as {region}: give a list of names of classes, of {some(classes.names, 20)}."
            )
        if len(set(names)) < len(names):
            raise InputError(f"regions has {names} as {region}, a class of which is there twice: name each once.")
    return Structures(tuple(parts), tuple(tuple(numbers[name] for name in names) for names in parts.values()))
