"""What the how-to guides show is what happens."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "how-to"


@pytest.mark.slow
def test_the_guide_to_the_weights_runs_from_its_first_line_to_its_last(monkeypatch, capsys):
    monkeypatch.setattr("sys.path", list(sys.path))
    text = (GUIDES / "reuse-weights.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec("\n".join(blocks).replace("/my/bundles", str(ROOT / "bundles")), names)
    assert (names["embedding"].shape, names["logits"].shape) == ((4, 1024), (4, 1))
    classifier, segmenter = capsys.readouterr().out.splitlines()[-2:]
    for printed, promised in ((classifier, "725 loaded"), (segmenter, "725 loaded")):
        assert printed.startswith(promised)
    assert classifier.endswith("2 reshaped (class_layers.out.weight, class_layers.out.bias)")
    assert "70 missing (decoder" in segmenter


def pages():
    return sorted(path for folder in ("docs", "bundles/*/docs") for path in ROOT.glob(f"{folder}/**/*.md"))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *pages()], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_test_that_a_promise_names_is_there():
    text = (ROOT / "docs" / "reference" / "reliability.md").read_text()
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)/?(?:::(\w+))?`", text)
    assert len(named) > 15
    for path, name in named:
        assert (ROOT / path).exists(), path
        assert not name or f"def {name}" in (ROOT / path).read_text(), name
