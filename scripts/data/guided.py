"""Of whom a training knows where the lesion is."""

from collections.abc import Iterable

from .label_share import drawn_share, labels_of_subjects

__all__ = ["guided_split"]


def guided_split(split: dict[str, list[dict]], share: float, seed: int) -> dict[str, list[dict]]:
    """A split in which the scans of a share of the training subjects, of each class alike, have a mask, and no others.

    Args:
        split: items under `train`, `validate` and `test`, with `class_label`, and `label` where there is a mask.
        share: of the training subjects that have masks, rounded up; 0: none.
        seed: draws them; a smaller share is part of a larger one.

    Returns:
        The items with `guided`, 1.0 or 0.0; where it is 0.0, without `label`.

    Example:
        >>> scans = [{"subject": name, "class_label": 1.0, "label": f"{name}.nii.gz"} for name in "abcd"]
        >>> [scan["guided"] for scan in guided_split({"train": scans, "test": scans}, 0.5, seed=0)["train"]].count(1.0)
        2
    """
    masked = labels_of_subjects(scan for scan in split["train"] if "label" in scan)
    chosen = drawn_share(masked, share, seed) if share and masked else set()
    return {part: _marked(scans, chosen if part == "train" else set()) for part, scans in split.items()}


def _marked(scans: Iterable[dict], guided: set[str]) -> list[dict]:
    return [_item(scan, scan["subject"] in guided and "label" in scan) for scan in scans]


def _item(scan: dict, is_guided: bool) -> dict:
    kept = {key: value for key, value in scan.items() if key != "label" or is_guided}
    return kept | {"guided": float(is_guided)}
