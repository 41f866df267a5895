"""A landmark as it was found in a scan."""

from dataclasses import dataclass

__all__ = ["NOT_IN_SCAN", "FoundLandmark"]

NOT_IN_SCAN = "not in this scan"


@dataclass(frozen=True)
class FoundLandmark:
    """Where a landmark is in a scan, and how sure that is.

    Attributes:
        scan: path of its file.
        name: of the landmark.
        point: mm, RAS+, the world of the scan's header; None where the landmark is not in the scan.
        confidence: from 0 to 1; nan where it is not known.
        expected_error_mm: of a landmark found with this confidence; None where that is not known.
        note: what else is to be said of it.
        size: of a box around it, mm along the world's axes; None: it is a point.
        is_marked: whether the scan itself is marked there.
    """

    scan: str
    name: str
    point: tuple[float, float, float] | None
    confidence: float
    expected_error_mm: float | None = None
    note: str = ""
    size: tuple[float, float, float] | None = None
    is_marked: bool = False
