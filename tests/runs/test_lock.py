"""One run in a folder at a time, and no lock that outlives its process."""

import errno
import multiprocessing
import os
import re
import signal
import subprocess
import sys

import pytest

from scripts.errors import InputError
from scripts.runs import lock
from scripts.runs.lock import lock_folder, lock_if_there


@pytest.fixture(autouse=True)
def _own_locks(monkeypatch):
    """Locks of this process are forgotten, and with the closed files released."""
    monkeypatch.setattr(lock, "held", {})
    monkeypatch.setattr(lock, "absent", set())
    yield
    for file in lock.held.values():
        os.close(file)


@pytest.fixture
def other():
    """A function: another process that has locked a folder, with a worker of its own."""
    started, context = [], multiprocessing.get_context("fork")

    def hold(folder, ready):
        lock_folder(folder)
        worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
        ready.send(worker.pid)
        signal.pause()

    def start(folder):
        ours, theirs = context.Pipe()
        process = context.Process(target=hold, args=(folder, theirs), daemon=True)
        process.start()
        started.append(ours.recv())
        return process

    yield start
    for worker in started:
        os.kill(worker, signal.SIGKILL)


def test_a_second_process_is_refused_with_the_name_of_the_first(tmp_path, other):
    process = other(tmp_path / "run")
    with pytest.raises(InputError) as error:
        lock_folder(tmp_path / "run")
    sentence = (
        f"Another run is writing to {tmp_path / 'run'} (process {process.pid} on {os.uname().nodename}): wait for"
    )
    assert str(error.value).startswith(sentence)


def test_a_killed_process_leaves_no_lock_though_its_workers_live(tmp_path, other):
    process = other(tmp_path)
    process.kill()
    process.join()
    lock_folder(tmp_path)
    assert (tmp_path / ".lock").read_text(encoding="utf-8").startswith(f"process {os.getpid()} on ")


def test_other_folders_are_free(tmp_path, other):
    other(tmp_path / "run")
    lock_folder(tmp_path / "run" / "fold_0")


def test_a_process_may_run_again_in_its_folder(tmp_path):
    lock_folder(tmp_path)
    lock_folder(tmp_path)


def test_a_folder_that_was_removed_is_locked_anew(tmp_path):
    lock_folder(tmp_path / "run")
    (tmp_path / "run" / ".lock").unlink()
    lock_folder(tmp_path / "run")
    assert (tmp_path / "run" / ".lock").is_file()


def test_a_file_system_without_locks_is_told_of(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock.fcntl, "lockf", refuse)
    lock_folder(tmp_path)
    assert f"{tmp_path} cannot be locked (No locks available): start no other run there" in caplog.text


def test_a_folder_that_cannot_be_written_to_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file cannot be written \(File exists\)"):
        lock_folder(tmp_path / "file")


def test_the_first_process_locks_for_all(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "rank", lambda: 1)
    lock_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_all_processes_end_where_the_first_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "rank", lambda: 1)
    monkeypatch.setattr(lock, "from_first", lambda _: "Another run is writing.")
    with pytest.raises(InputError, match="Another run is writing"):
        lock_folder(tmp_path)


def test_where_no_folder_is_none_is_made_before_a_run_begins(tmp_path):
    lock_if_there(tmp_path / "runs" / "run")
    assert not list(tmp_path.iterdir())
    lock_folder(tmp_path / "runs" / "run")
    assert (tmp_path / "runs" / "run" / ".lock").is_file()


def test_a_folder_that_is_there_is_locked_before_a_run_begins(tmp_path):
    lock_if_there(tmp_path)
    assert tmp_path in lock.held


def test_a_run_that_has_begun_meanwhile_is_not_overwritten_though_it_has_ended(tmp_path, other):
    lock_if_there(tmp_path / "run")
    process = other(tmp_path / "run")
    process.kill()
    process.join()
    with pytest.raises(InputError, match=r"Another run has begun in .*run since this one did: give another"):
        lock_folder(tmp_path / "run")


def test_a_process_that_looks_again_finds_what_is_there_now(tmp_path, other):
    lock_if_there(tmp_path / "run")
    process = other(tmp_path / "run")
    process.kill()
    process.join()
    lock_if_there(tmp_path / "run")
    assert tmp_path / "run" in lock.held


@pytest.mark.parametrize("path", ["file", "file/run"])
def test_a_folder_that_cannot_be_made_is_refused_before_a_scan_is_read(tmp_path, path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=rf"{path} cannot be made, as .*/file is no folder: give another"):
        lock_if_there(tmp_path / path)


def test_a_folder_that_nothing_can_be_made_in_is_named_before_a_scan_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))
    with pytest.raises(InputError, match=rf"cannot be made, as nothing can be written to {tmp_path}: give another"):
        lock_if_there(tmp_path / "runs" / "run")


@pytest.fixture
def told(monkeypatch):
    """What the processes tell each other."""
    said = []
    monkeypatch.setattr(lock, "from_first", said.append)
    return said


@pytest.mark.parametrize("ask", [lock_folder, lock_if_there])
def test_the_first_process_tells_the_others_why_it_is_refused(tmp_path, told, ask):
    (tmp_path / "file").touch()
    ask(tmp_path / "file")
    assert re.search("file cannot be", *told)


@pytest.mark.parametrize("path", ["", "absent"])
def test_each_process_listens_to_the_first_whether_it_finds_the_folder_or_not(tmp_path, monkeypatch, told, path):
    monkeypatch.setattr(lock, "rank", lambda: 1)
    lock_if_there(tmp_path / path)
    assert told == [None]
