"""Bad input is answered with one sentence."""

import sys
from collections.abc import Iterator

__all__ = ["InputError", "refuse", "report_input_errors", "require_positive"]


class InputError(ValueError):
    """Something that the user gave cannot be used; the message says what, why, and what to do."""


def require_positive(name: str, value) -> None:
    """Raise an `InputError` unless a setting is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise InputError(f"{name} is {value}: give a number above 0.")


def refuse(sentence: str) -> None:
    """Raise an `InputError`, where a configuration is of no use without another."""
    report_input_errors()
    raise InputError(sentence)


def report_input_errors() -> None:
    """Make an uncaught `InputError` end the process with its message alone, without a stack trace.

    So do an interruption from the keyboard, and a component's argument that a configuration misspells. MONAI wraps what
    its components raise, so the chain of causes is searched. Every other exception keeps its trace.
    """
    sys.excepthook = _excepthook


def _excepthook(kind, error, trace) -> None:
    sentence = next(filter(None, map(_sentence, _causes(error))), None)
    if sentence is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {sentence}", file=sys.stderr)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sentence(error: BaseException) -> str | None:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return (
            "Interrupted. What was saved is whole: the same command goes on where it can, a training that left a "
            "checkpoint.pt with --resume true."
        )
    cause = error.__cause__
    if str(error).startswith("Failed to instantiate") and "unexpected keyword argument" in str(cause):
        return f"A key of the configuration is misspelt: {cause}."
    return None
