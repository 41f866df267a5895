"""What transforms are: their classes, arguments and code, so that others are told from them in any process."""

import enum
import functools
import hashlib
import json
import os
import threading
import types
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import torch

from ...errors import InputError
from .code import code_of, versions

__all__ = ["identity_of", "number_of"]

# what transforms remember of what they have done, which changes nothing of what they do
MEMORY = {"filenames", "said"}
REFERENCES = "__local_refs"  # where MONAI puts what an expression of a configuration refers to
NO_PART = (type(threading.local()), np.random.RandomState)
PLAIN = (
    type(None),
    type(...),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    slice,
    np.generic,
    np.dtype,
    torch.dtype,
    os.PathLike,
)


def identity_of(transforms: Sequence[Callable]) -> dict[str, Any]:
    """What decides what transforms make of an item.

    Args:
        transforms: none of which draws anything.

    Returns:
        `transforms`, a number of their arguments; their `names`; `code` and `versions` of what they are made of.

    Raises:
        InputError: one of them has an argument that says nothing of itself.
    """
    walk = _Walk()
    number = number_of([walk.described(transform) for transform in transforms])
    names = [type(transform).__name__ for transform in transforms]
    return {"transforms": number, "names": names, "code": code_of(walk.modules), "versions": versions()}


def number_of(content: Any) -> str:
    """32 digits of what JSON can hold."""
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()


class _Walk:
    """From objects to what JSON holds of them, and the modules that they are from."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.above: list[int] = []

    def described(self, value: Any) -> Any:
        """A value and all that it refers to."""
        if isinstance(value, enum.Enum):
            return self.named(type(value), value.name)
        if isinstance(value, PLAIN):
            return [type(value).__name__, repr(value)]
        if isinstance(value, (np.ndarray, torch.Tensor)):
            return self.numbers(np.ascontiguousarray(value))
        if id(value) in self.above:  # a part that refers to the whole
            return ["above", len(self.above) - self.above.index(id(value))]
        self.above.append(id(value))
        try:
            return self.compound(value)
        finally:
            self.above.pop()

    def compound(self, value: Any) -> Any:
        """What has parts."""
        if isinstance(value, Mapping):
            return ["dict", [[self.described(key), self.described(part)] for key, part in value.items()]]
        if isinstance(value, Set):
            return ["set", sorted(map(json.dumps, map(self.described, value)))]
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *map(self.described, value)]
        if isinstance(value, functools.partial):
            return ["partial", *map(self.described, (value.func, value.args, value.keywords))]
        if isinstance(value, types.MethodType):
            return ["method", self.described(value.__self__), value.__name__]
        if isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            parts = (value.__defaults__, value.__kwdefaults__, cells)
            code = self.code(value.__code__, value.__globals__.get(REFERENCES, {}))
            return self.named(value, [code, *map(self.described, parts)])
        if isinstance(value, type) or hasattr(value, "__qualname__"):
            return self.named(value, None)
        return self.instance(value)

    def instance(self, value: Any) -> Any:
        """An object by its class and attributes."""
        if not hasattr(value, "__dict__"):
            raise InputError(
                f"A scan that is prepared with a {type(value).__qualname__} ({value!r:.80}) cannot be kept in "
                "store_dir, as it does not show its arguments: leave store_dir out, or write it as a plain class."
            )
        parts = {
            name: self.described(part)
            for name, part in sorted(vars(value).items())
            if name not in MEMORY and not isinstance(part, NO_PART)
        }
        return self.named(type(value), parts)

    def named(self, value: Any, rest: Any) -> Any:
        """With its name, and its module put on the list."""
        self.modules.add(value.__module__ or "builtins")
        return [value.__module__, value.__qualname__, rest]

    def code(self, value: types.CodeType, references: Mapping) -> Any:
        """Of a function as it is compiled, since that of a configuration has no file.

        Args:
            value: as Python has it.
            references: what `@` stands for in that configuration; the code names it by constants.
        """
        named = [references[one] for one in value.co_consts if isinstance(one, str) and one in references]
        constants = [
            self.code(one, references) if isinstance(one, types.CodeType) else self.described(one)
            for one in value.co_consts
        ]
        return [value.co_code.hex(), value.co_names, constants, self.described(named)]

    @staticmethod
    def numbers(value: np.ndarray) -> Any:
        """Of an array."""
        return [value.dtype.str, value.shape, hashlib.blake2b(value.tobytes(), digest_size=16).hexdigest()]
