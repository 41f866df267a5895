"""From the start of a training to its first step: `python -m tests.benchmarks.start` where scans are prepared already.

isimed_pretraining is started twice on 24 synthetic bodies, each time in a process of its own, with a store that the
first fills; the seconds are those of the second. `--profile` says where they go.
"""

import cProfile
import json
import pstats
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

BUNDLE = Path(__file__).parents[2] / "bundles" / "isimed_pretraining"


class FirstStep:
    """Attached to a trainer, ends the run as its first step begins."""

    def attach(self, engine) -> None:
        """Attach to a MONAI trainer."""
        from ignite.engine import Events

        engine.add_event_handler(Events.ITERATION_STARTED, self)

    def __call__(self) -> None:
        raise KeyboardInterrupt


def start(cohort: str, store: str, output: str, profile: bool) -> None:
    """Print seconds of MONAI's imports, and from there to the first step, by the clock and of the processor."""
    clocks = time.perf_counter, time.process_time
    begun = [clock() for clock in clocks]
    from monai.bundle import run

    imported = [clock() for clock in clocks]
    overlay = {"+train#handlers": [{"_target_": "tests.benchmarks.start.FirstStep"}]}
    Path(output).mkdir()
    (Path(output) / "first.json").write_text(json.dumps(overlay), encoding="utf-8")
    files = [str(BUNDLE / "configs" / "train.json"), f"{output}/first.json"]
    profiler = cProfile.Profile()
    try:
        settings = {"bundle_root": str(BUNDLE), "dataset_dir": cohort, "store_dir": store, "output_dir": output}
        (profiler.runcall if profile else lambda call, **words: call(**words))(run, config_file=files, **settings)
    except (KeyboardInterrupt, Exception) as error:
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise
    ended = [clock() for clock in clocks]
    print(json.dumps([begun, imported, ended]))
    if profile:
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(70)


def main(arguments: list[str]) -> None:
    """Print the seconds."""
    from scripts.data.phantom import make_cohort

    with TemporaryDirectory() as folder:
        cohort = make_cohort(f"{folder}/cohort", subjects=24)
        for turn in ("first", "second"):
            words = [str(cohort), f"{folder}/store", f"{folder}/{turn}", *arguments]
            command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.start", "--start", *words]
            done = subprocess.run(command, capture_output=True, text=True)
            assert not done.returncode, done.stdout[-2000:] + done.stderr[-2000:]
    lines = done.stdout.splitlines()
    number = next(number for number, line in enumerate(lines) if line.startswith("[["))
    begun, imported, ended = json.loads(lines[number])
    for kind, first, middle, last in zip(("by the clock", "of the processor"), begun, imported, ended, strict=True):
        print(f"{middle - first:5.1f} s of MONAI's imports, {last - middle:5.1f} s to the first step, {kind}")
    print("\n".join(lines[number + 1 :]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        start(*sys.argv[2:5], profile="--profile" in sys.argv)
    else:
        main(sys.argv[1:])
