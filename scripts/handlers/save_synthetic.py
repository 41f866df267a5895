"""What a generator leaves of each scan: the image that it makes, in the scan's own grid, marked as made."""

from collections.abc import Mapping

from ..data.synthetic import MARK, is_synthetic
from ..errors import InputError
from .save_each_scan import SaveEachScan
from .scan_files import free_name

__all__ = ["SaveSynthetic"]


class SaveSynthetic(SaveEachScan):
    """Writes CASE_target.nii.gz, and a line to synthetic.csv (image, subject, synthetic: its file), after each scan.

    The description in an image's header begins with `MARK`, so that no bundle takes it for a real one, whatever it is
    called. A real image is never written over.

    Args:
        output_dir: where the files go. A CASE that occurs again has the subject before it, then a number behind.
        source, target: modalities.
    """

    def __init__(self, output_dir: str, source: str, target: str) -> None:
        super().__init__(output_dir, "synthetic.csv", ["synthetic"])
        self.source, self.target = source, target

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of `pred` [C, X, Y, Z], whose first channel is the image, in its unit."""
        path = self.output_dir / f"{self._name(scan)}_{self.target}.nii.gz"
        if path.is_file() and not is_synthetic(path):
            raise InputError(f"{path} is a real image, and would be written over: give another output_dir.")
        description = f"{MARK} {self.target} made of {self.source}"
        image = found["pred"].as_tensor()[:1].cpu()
        file = self.write(image, self.target, scan, description=description)
        return [file], f"{self.target} made of {self.source}"

    def _name(self, scan: Mapping) -> str:
        return free_name(scan["subject"], scan["case"], self.lines)
