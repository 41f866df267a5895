"""What the how-to guides show is what happens."""

import configparser
import re
import shlex
import sys
from pathlib import Path

import pytest
from fire.parser import DefaultParseValue
from monai.bundle import ConfigParser

from scripts.runs.configuration import idle_settings

ROOT = Path(__file__).parents[1]
BUNDLES = sorted(path.parents[1] for path in (ROOT / "bundles").glob("*/docs/README.md"))
GUIDES = ROOT / "docs" / "how-to"


@pytest.mark.slow
def test_the_guide_to_the_weights_runs_from_its_first_line_to_its_last(monkeypatch, capsys):
    monkeypatch.setattr("sys.path", list(sys.path))
    text = (GUIDES / "reuse-weights.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec("\n".join(blocks).replace("/my/bundles", str(ROOT / "bundles")), names)
    assert (names["embedding"].shape, names["logits"].shape) == ((4, 1024), (4, 1))
    classifier, segmenter, features = capsys.readouterr().out.splitlines()[-3:]
    assert features == "torch.Size([4, 2560])"
    for printed, promised in ((classifier, "725 loaded"), (segmenter, "725 loaded")):
        assert printed.startswith(promised)
    assert classifier.endswith("2 reshaped (class_layers.out.weight, class_layers.out.bias)")
    assert "70 missing (decoder" in segmenter


def pages():
    return sorted(path for folder in ("docs", "bundles/*/docs") for path in ROOT.glob(f"{folder}/**/*.md"))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *pages()], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def commands(page):
    """The commands on a page that run a bundle, as lists of words."""
    for block in re.findall(r"^ *```\w*\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if "monai.bundle run" in line:
                yield shlex.split(line.partition("monai.bundle run")[2].rstrip(")"), comments=True)


PRINTED = [(page, words) for page in [*ROOT.glob("*.md"), *pages()] for words in commands(page)]


@pytest.mark.parametrize(("page", "words"), PRINTED, ids=lambda value: value.stem if isinstance(value, Path) else "")
def test_every_command_is_one_that_a_bundle_takes(page, words, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    of_page = page.parents[1]
    bundles, faults = [of_page] if of_page in BUNDLES else [*BUNDLES], []
    while bundles and None not in faults:
        faults.append(fault(bundles.pop(0), words))
    assert None in faults, faults


def fault(bundle, words):
    """Why a bundle does not take the words of a command; None where it does."""
    options = {key.removeprefix("--"): DefaultParseValue(value) for key, value in zip(*[iter(words)] * 2, strict=True)}
    files = options.pop("config_file")
    files = [bundle / file for file in ([files] if isinstance(files, str) else files) if not file.startswith("/my/")]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        return missing
    try:
        parser = ConfigParser(ConfigParser.load_config_files(files))
        parser.update(options)
        parser.get_parsed_content("run#0")
        assert not {*options}.intersection(idle_settings(parser.get(), ("initialize", "run"))), "without effect"
    except Exception as error:  # of an overlay on another bundle's configuration, or what MONAI wraps
        return error.__cause__ or error
    return None


@pytest.mark.parametrize("page", [ROOT / "README.md", *(bundle / "docs" / "README.md" for bundle in BUNDLES)])
def test_the_lines_for_pip_install_what_the_package_declares(page):
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    extras = " ".join(declared["options.extras_require"][name] for name in ("figures", "tracking", "evaluation"))
    core, more = (
        shlex.split(line, comments=True)
        for line in re.findall(r"python -m pip install (.*)", page.read_text(encoding="utf-8"))
    )
    assert core == declared["options"]["install_requires"].split()
    assert sorted(more) == sorted(re.findall(r"[\w-]+(?=>=)", extras))


def test_every_test_that_a_promise_names_is_there():
    text = (ROOT / "docs" / "reference" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+(?:\.py)?)/?(?:::(\w+))?`", text)
    assert len(named) > 15
    for path, name in named:
        assert (ROOT / path).exists(), path
        assert not name or f"def {name}" in (ROOT / path).read_text(encoding="utf-8"), name
