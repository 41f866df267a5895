"""A subject's name as a number, which a batch can hold."""

import hashlib
from collections.abc import Hashable, Mapping

from monai.transforms import Transform

__all__ = ["SubjectNumber"]

BYTES = 7  # so that it is positive as int64


class SubjectNumber(Transform):
    """Write to `subject_number` a whole number that is the same for the same `subject` alone, in all processes.

    Of a million subjects, two have the same number with a probability below 1 in 100 000.
    """

    def __call__(self, data: Mapping[Hashable, object]) -> dict:
        """The item with its number."""
        digest = hashlib.blake2b(str(data["subject"]).encode(), digest_size=BYTES).digest()
        return {**data, "subject_number": int.from_bytes(digest, "big")}
