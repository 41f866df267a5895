"""Bad input is answered with one sentence."""

import errno
import logging
import os
import re
import signal
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

from torch.distributed import DistError

__all__ = [
    "InputError",
    "counted",
    "refuse",
    "report_input_errors",
    "require_one_of",
    "require_package",
    "require_positive",
    "shorten",
    "some",
]


# what a process that loads scans ended with, of which there is but text here
IN_A_WORKER = re.compile(r"in DataLoader worker process .*?\bInputError: ([^\n]*)", re.DOTALL)
NO_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


class InputError(ValueError):
    """Something that the user gave cannot be used; the message says what, why, and what to do."""


def require_positive(name: str, value) -> None:
    """Raise an `InputError` unless a setting is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InputError(f"{name} is {value}: give a number above 0.")


def require_one_of(name: str, value, allowed: Iterable[str]) -> None:
    """Raise an `InputError` unless a setting is one of some words."""
    allowed = list(allowed)
    if value not in allowed:
        raise InputError(f"{name} is {value}: give one of {', '.join(allowed)}.")


def require_package(package: str, use: str, module: str | None = None) -> None:
    """Raise an `InputError` unless a package is installed that only some runs need.

    Args:
        package: as pip calls it.
        use: what needs it, as a sentence begins.
        module: as it is imported, where that is not the package's name.
    """
    if find_spec(module or package) is None:
        raise InputError(f"{use} needs {package}, which is not installed: pip install {package}")


def shorten(error: BaseException) -> str:
    """What an exception says, in one line of at most 200 characters; its kind where it says nothing."""
    return textwrap.shorten(str(error), 200, placeholder="...") or type(error).__name__


def some(items: Iterable, most: int = 3, between: str = ", ") -> str:
    """The first of some items, and how many more there are.

    Example:
        >>> some(["a", "b"]), some("abcde")
        ('a, b', 'a, b, c and 2 more')
    """
    names = [str(item) for item in items]
    return between.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def counted(number: int, what: str) -> str:
    """So many of what is one.

    Example:
        >>> counted(1, "subject"), counted(2, "subject"), counted(2, "process")
        ('1 subject', '2 subjects', '2 processes')
    """
    return f"{number} {what}" + ("" if number == 1 else "es" if what.endswith("s") else "s")


def refuse(sentence: str) -> None:
    """Raise an `InputError`, where a configuration is of no use without another."""
    report_input_errors()
    raise InputError(sentence)


def report_input_errors() -> None:
    """Make an uncaught `InputError` end the process with its message alone, without a stack trace.

    So do an interruption from the keyboard or by SIGTERM, a disk that is full or a folder that may not be written to,
    another process of a training that ended or does not answer, and a component's argument that a configuration
    misspells. MONAI wraps what its components raise, so the chain of causes is searched. Every other
    exception keeps its trace.
    """
    sys.excepthook = _excepthook
    for name in (None, "ignite", "monai.engines"):  # those of logging.conf
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(_is_said_here_alone)
    # under torchrun, a process that waits for another one would not notice
    if threading.current_thread() is threading.main_thread() and "LOCAL_RANK" not in os.environ:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _is_said_here_alone(record: logging.LogRecord) -> bool:
    """Each engine of Ignite's tells of an exception that ends it, for which the process may have a sentence."""
    return "terminating due to exception" not in record.getMessage() or _sentence_of(sys.exc_info()[1]) is None


def _excepthook(kind, error, trace) -> None:
    sentence = _sentence_of(error)
    if sentence is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {sentence}", file=sys.stderr)


def _sentence_of(error: BaseException | None) -> str | None:
    """The first of an exception and its causes that is one; None where none is."""
    return next(filter(None, map(_sentence, _causes(error))), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sentence(error: BaseException) -> str | None:
    if in_a_worker := IN_A_WORKER.search(str(error)):
        return in_a_worker[1]
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return (
            "Interrupted. What was saved is whole. Where there is a checkpoint.pt, the same command with --resume true "
            "resumes the training; else give the same command again."
        )
    if isinstance(error, OSError) and error.errno in NO_WRITING:
        name = "A file" if error.filename is None else error.filename
        return f"{name} cannot be written or read ({error.strerror}): mend that, or give another folder."
    if isinstance(error, DistError) or "/gloo/" in str(error):  # gloo has no kind of its own
        return (
            "Another process of this training ended, or did not answer in time (patience, in minutes): its own output "
            f"says why. The same command with --resume true resumes from checkpoint.pt. ({shorten(error)})"
        )
    cause = error.__cause__
    if str(error).startswith("Failed to instantiate") and "unexpected keyword argument" in str(cause):
        return f"A key of the configuration is misspelt: {cause}."
    return None
