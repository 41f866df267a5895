"""What a generator leaves of each scan: the image that it makes, in the scan's own grid, marked as made."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ignite.engine import Engine, Events

from ..data.synthetic import MARK, is_synthetic
from ..errors import InputError
from .save_each_scan import SaveEachScan
from .scan_files import free_name

__all__ = ["SaveSynthetic"]


class SaveSynthetic(SaveEachScan):
    """Writes CASE_target.nii.gz, and a line to synthetic.csv (image, subject, synthetic: its file), after each scan.

    The description in an image's header begins with `MARK`, so that no bundle takes it for a real one, whatever it is
    called. A real image is never written over: a run that would do so ends before the first image is made.

    Args:
        output_dir: where the files go. A CASE that occurs again has the subject before it, then a number behind.
        source, target: modalities.
        scans: all that come, in their order, each with `case` and `subject`.
    """

    def __init__(self, output_dir: str, source: str, target: str, scans: Iterable[Mapping] = ()) -> None:
        super().__init__(output_dir, "synthetic.csv", ["synthetic"])
        self.source, self.target, self.scans = source, target, scans

    def attach(self, engine: Engine) -> None:
        """Attach as `SaveEachScan` does; at the start, names of all files are looked at."""
        super().attach(engine)
        engine.add_event_handler(Events.STARTED, self.require_free)

    def require_free(self) -> None:
        """Raise an `InputError` where one of the scans' files would be written over a real image."""
        names: set[str] = set()
        for scan in self.scans:
            names.add(name := free_name(scan["subject"], scan["case"], names))
            self._require_made(self._path(name))

    def save(self, scan: Mapping, found: Mapping) -> tuple[list, str]:
        """Of `pred` [C, X, Y, Z], whose first channel is the image, in its unit."""
        self._require_made(self._path(self._name(scan)))
        description = f"{MARK} {self.target} made of {self.source}"
        image = found["pred"].as_tensor()[:1].cpu()
        file = self.write(image, self.target, scan, description=description)
        return [file], f"{self.target} made of {self.source}"

    def _path(self, name: str) -> Path:
        return self.output_dir / f"{name}_{self.target}.nii.gz"

    def _require_made(self, path: Path) -> None:
        if path.is_file() and not is_synthetic(path):
            raise InputError(f"{path} is a real image, and would be written over: give another output_dir.")

    def _name(self, scan: Mapping) -> str:
        return free_name(scan["subject"], scan["case"], self.lines)
