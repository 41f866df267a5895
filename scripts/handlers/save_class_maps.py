"""What inference says of the places of each scan: how likely each class is there, in the scan's own grid."""

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.transforms import LoadImage
from monai.utils import convert_to_tensor

from ..data.structures import Structures
from ..data.target_classes import require_free_names
from ..errors import InputError
from .save_each_scan import SaveEachScan
from .scan_files import in_grid_of

__all__ = ["SaveClassMaps"]

logger = logging.getLogger(__name__)

LIKELIEST = "likeliest"
MUCH = 1e9  # bytes


class SaveClassMaps(SaveEachScan):
    """Writes NAME_CLASS.nii.gz of each class, NAME_likeliest.nii.gz, and a line to classes.csv, after each scan.

    Maps have the probabilities of a class on the scan's voxels, 0 outside the body's box. The last has the value of the
    likeliest class (of several values, the first), and 0 there. classes.csv has the columns image, subject, likeliest
    (the class with the largest mean), and the mean probability of each class over the box.

    Args:
        output_dir: where the files go. A NAME that occurs again has the subject before it, then a number behind.
        classes: in the order of the network's outputs; in names of files, what is no letter, digit, point or hyphen
            is an underscore.

    Raises:
        InputError: two classes would have files or columns of one name.
    """

    def __init__(self, output_dir: str, classes: Structures) -> None:
        require_free_names(classes)
        super().__init__(output_dir, "classes.csv", [LIKELIEST, *classes.names])
        self.classes = classes
        self.kinds = [re.sub(r"[^\w.-]+", "_", name) for name in classes.names]
        shared = [name for name, number in Counter([LIKELIEST, *map(str.lower, self.kinds)]).items() if number > 1]
        if shared:
            raise InputError(f"Maps of two classes would be called {shared[0]}: rename one in labels.json.")

    def attach(self, engine: Engine) -> None:
        """Attach as `SaveEachScan` does; before a large scan, the log says what it takes."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._tell_memory)
        super().attach(engine)

    def _tell_memory(self, engine: Engine) -> None:
        shape, number = engine.state.batch["image"].shape[-3:], len(self.classes.names)
        if (needed := 4 * number * math.prod(shape)) > MUCH:
            logger.info(
                f"Of {number} classes at {' × '.join(map(str, shape))} voxels, probabilities are "
                f"{needed / 1e9:.1f} GB, and twice that is held for a while."
            )

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of `pred` [C, X, Y, Z], probabilities in the body's box."""
        probabilities = convert_to_tensor(found["pred"]).cpu().float()
        self._write_maps(scan, probabilities, found["pred"].affine)
        means = probabilities.flatten(1).mean(1)
        likeliest = self.classes.names[int(means.argmax())]
        return [likeliest, *(round(float(mean), 4) for mean in means)], f"{likeliest} ({float(means.max()):.2f})"

    def _write_maps(self, scan: Mapping, probabilities: torch.Tensor, affine: torch.Tensor) -> None:
        """One at a time, since a large scan's of all classes would take much memory."""
        whole = LoadImage(ensure_channel_first=True)(scan["image"].meta["filename_or_obj"])
        values = [first for first, *_ in self.classes.values]
        highest, likeliest = torch.zeros(1, *whole.shape[1:]), torch.zeros(1, *whole.shape[1:], dtype=torch.int32)
        for kind, value, probability in zip(self.kinds, values, probabilities, strict=True):
            own = convert_to_tensor(in_grid_of(whole, probability[None], affine))
            self.write(own, kind, scan)
            likeliest[own > highest] = value
            torch.maximum(highest, own, out=highest)
        self.write(likeliest, LIKELIEST, scan, np.uint8 if max(values) < 256 else np.int32)
