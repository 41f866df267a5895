"""What cannot be compiled is said before a training counts on it."""

import shutil

import pytest
import torch

from scripts.engines.compiled import require_compiler
from scripts.errors import InputError


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no g++")
def test_with_a_compiler_networks_can_be_compiled():
    assert require_compiler("cpu") is True


def test_without_a_compiler_one_sentence_says_what_to_do(monkeypatch):
    def no_compiler(*args, **kwargs):
        raise RuntimeError("InvalidCxxCompiler: none was found\n\nSet TORCHDYNAMO_VERBOSE=1 for the stack trace")

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(InputError) as refusal:
        require_compiler("cpu")
    assert str(refusal.value) == (
        "torch.compile does not work on cpu here (InvalidCxxCompiler: none was found): mend that (on a CPU, it needs a "
        "C++ compiler, such as g++), or leave compile.json out."
    )
