"""Bad input is answered with one line; everything else with a stack trace."""

import subprocess
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from scripts.errors import InputError, report_input_errors, require_one_of, require_package, shorten, some

START = "from scripts.errors import InputError, report_input_errors\nreport_input_errors()\n"


@pytest.fixture
def run(forked):
    """A function: what a process prints to stderr, and how it ends."""

    def said(code):
        (done,) = forked(lambda: exec(START + code, {"__name__": "__main__"}))
        return done.stderr, done.returncode

    return said


DEEP = """
try:
    try:
        raise InputError("There is no /data: give dataset_dir.")
    except InputError as error:
        {inner}
except RuntimeError as error:
    raise RuntimeError("instantiating a component") from error
"""


@pytest.mark.parametrize("inner", ["raise RuntimeError('resolving') from error", "raise RuntimeError('resolving')"])
def test_an_input_error_behind_others_is_one_line(run, inner):
    assert run(DEEP.format(inner=inner)) == ("error: There is no /data: give dataset_dir.\n", 1)


def test_an_input_error_is_one_line():
    words = [sys.executable, "-c", f"{START}raise InputError('Set pairs.')"]
    done = subprocess.run(words, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("error: Set pairs.\n", 1)


IN_A_WORKER = """
from torch.utils.data import DataLoader, Dataset

class Scans(Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        try:
            raise {error}
        except ValueError as error:
            raise {outer}

next(iter(DataLoader(Scans(), num_workers=1)))
"""
REFUSED, WRAPPED = "InputError('There is no /data: give dataset_dir.')", "RuntimeError('applying transform') from error"


@pytest.mark.parametrize("outer", ["error", WRAPPED])
def test_an_input_error_of_a_process_that_loads_scans_is_one_line(run, outer):
    text, code = run(IN_A_WORKER.format(error=REFUSED, outer=outer))
    assert (text, code) == ("error: There is no /data: give dataset_dir.\n", 1)


IN_AN_ENGINE = """
import logging
from ignite.engine import Engine, Events
from torch.utils.data import DataLoader

class Scans(list):
    def __getitem__(self, index):
        raise {error}

logging.basicConfig(format="%(message)s", force=True)
report_input_errors()
inner = Engine(lambda *_: None)
outer = Engine(lambda *_: None)
outer.add_event_handler(Events.STARTED, lambda: inner.run(DataLoader(Scans([1]), num_workers={workers})))
outer.run([0])
"""


@pytest.mark.parametrize("workers", [0, 1])
def test_an_input_error_in_an_engine_is_one_line(run, workers):
    text, code = run(IN_AN_ENGINE.format(error=REFUSED, workers=workers))
    assert (text, code) == ("error: There is no /data: give dataset_dir.\n", 1)


def test_an_interruption_in_an_engine_is_one_line(run):
    text, _ = run(IN_AN_ENGINE.format(error="KeyboardInterrupt", workers=0))
    assert text.startswith("error: Interrupted.") and len(text.splitlines()) == 1


def test_other_errors_in_an_engine_are_told_by_it(run):
    text, _ = run(IN_AN_ENGINE.format(error="ValueError('no scan')", workers=0))
    assert text.startswith("Current run is terminating due to exception: no scan")


def test_other_errors_of_a_process_that_loads_scans_keep_their_trace(run):
    text, _ = run(IN_A_WORKER.format(error="ValueError('no scan')", outer=WRAPPED))
    assert text.startswith("Traceback") and "RuntimeError: applying transform" in text


def test_other_errors_keep_their_trace(run):
    text, code = run("1 / 0")
    assert text.startswith("Traceback") and "ZeroDivisionError" in text and code == 1


def test_other_errors_behind_others_keep_their_trace(run):
    text, _ = run("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise RuntimeError('outer') from error")
    assert "ZeroDivisionError" in text and "RuntimeError: outer" in text and "\nerror: " not in text


def test_an_interruption_is_one_line(run):
    text, _ = run("raise KeyboardInterrupt")
    assert text.startswith("error: Interrupted.") and "Traceback" not in text


@pytest.mark.parametrize("kind", ["RuntimeError('[/pytorch/gloo/pair.cc:537] {}')", "DistBackendError('{}')"])
def test_a_process_of_several_that_is_lost_is_one_line(run, kind):
    text, code = run(f"from torch.distributed import DistBackendError\nraise {kind.format('Connection reset')}")
    assert text.startswith("error: Another process of this training ended") and text.endswith("Connection reset)\n")
    assert code == 1 and len(text.splitlines()) == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_asks_to_end_is_one_line(run, name):
    # of a process that a shell started in the background, which ignores SIGINT, too
    heard = "import os, signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    text, _ = run(f"{heard}os.kill(os.getpid(), signal.{name})\ntime.sleep(60)")
    assert text.startswith("error: Interrupted.") and "Traceback" not in text


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("open('/dev/full', 'w', buffering=1).write('word\\n')", "A file cannot be written or read (No space left on"),
        ("raise PermissionError(13, 'Permission denied', '/my/run')", "/my/run cannot be written or read (Permission"),
    ],
)
def test_a_full_disk_and_a_lack_of_permission_are_one_line(run, code, sentence):
    text, _ = run(code)
    assert text.startswith(f"error: {sentence}") and "Traceback" not in text


def test_a_misspelt_argument_of_a_component_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    report_input_errors()
    component = {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1, "bais": False}
    with pytest.raises(RuntimeError) as caught:
        ConfigParser(component).get_parsed_content("")
    sys.excepthook(caught.type, caught.value, caught.tb)
    text = capsys.readouterr().err
    assert "unexpected keyword argument 'bais'" in text.splitlines()[-1] and "Traceback" not in text


def test_a_package_that_is_missing_is_named_with_the_cure():
    with pytest.raises(InputError, match="A map needs no-such, which is not installed: pip install no-such"):
        require_package("no-such", "A map", module="no_such")


def test_a_package_that_is_there_is_required_in_silence():
    require_package("pytest", "A test")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("two\n  lines"), "two lines"),
        (EOFError(), "EOFError"),
        (OSError("word " * 99), "word " * 38 + "word..."),
    ],
)
def test_what_an_error_says_is_one_short_line(error, text):
    assert shorten(error) == text


def test_of_many_names_three_are_said_and_the_others_counted():
    assert some(["a", "b"]) == "a, b" and some(["a", "b", 3, "d", "e"]) == "a, b, 3 and 2 more"


def test_what_is_none_of_some_words_is_refused_with_all_of_them():
    require_one_of("pairs", "all", ("one", "all"))
    with pytest.raises(InputError, match=r"^pairs is few: give one of one, all\.$"):
        require_one_of("pairs", "few", ("one", "all"))
