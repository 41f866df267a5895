"""Bad input is answered with one sentence."""

import sys

__all__ = ["InputError", "report_input_errors"]


class InputError(ValueError):
    """Something that the user gave cannot be used; the message says what, why, and what to do."""


def report_input_errors() -> None:
    """Make an uncaught `InputError` end the process with its message alone, without a stack trace.

    MONAI wraps what its components raise, so the chain of causes is searched. Every other exception keeps its trace.
    """
    sys.excepthook = _excepthook


def _excepthook(kind, error, trace) -> None:
    cause = error
    while cause is not None and not isinstance(cause, InputError):
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    if cause is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {cause}", file=sys.stderr)
