"""What opening a bundle can do: every expression and every component of its configurations is of a short list.

A configuration of MONAI is a program: `$` is evaluated as Python, `_target_` is imported and called. A list that is
short enough to be read says which programs ours are; what is not on it has to be put there, and is seen.
"""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "bundles").glob("*/configs/*.json"))
SOURCES = sorted(path for folder in ("scripts", "tools") for path in (ROOT / folder).rglob("*.py"))

IMPORTS = {
    *("$import datetime", "$import os", "$import sys"),
    *("$import json", "$import pathlib", "$import torch", "$import torch.distributed as dist", "$import monai"),
}

# functions that expressions may call, and what they may read of modules, by full name
CALLS = {
    "dict.fromkeys",
    "int",
    "isinstance",
    "len",
    "min",
    "str",
    "datetime.timedelta",
    "os.path.abspath",
    "os.path.basename",
    "os.path.dirname",
    "os.path.isfile",
    "os.path.join",
    "json.loads",
    "pathlib.Path",
    "sys.path.insert",
    "torch.cuda.is_available",
    "torch.cuda.set_device",
    "torch.cos",
    "torch.device",
    "torch.nn.Sequential",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
    "torch.tensor",
    "dist.destroy_process_group",
    "dist.get_rank",
    "dist.get_world_size",
    "dist.init_process_group",
    "monai.handlers.from_engine",
    "monai.utils.optional_import",
    "monai.utils.set_determinism",
}
VALUES = {"int", "os.environ", "torch.bool", "torch.int16", "torch.ones_like", "torch.pi"}
VALUES |= {"torch.channels_last", "torch.channels_last_3d"}
# methods and attributes of what a reference (@) stands for, or of a tensor
METHODS = {
    "amax",
    "barlow_term",
    "classes",
    "distance_term",
    "ema_model",
    "features",
    "fold",
    "folds",
    "item",
    "kept",
    "loss",
    "meta",
    "named_children",
    "names",
    "parameters",
    "parts",
    "read_text",
    "region_size",
    "removesuffix",
    "run",
    "subjects",
    "to",
    "turns",
    "untrained",
    "value",
}

# components, besides those of scripts
TARGETS = {
    *(
        "Activationsd",
        "AsDiscreted",
        "BorderPadd",
        "CastToTyped",
        "Compose",
        "CopyItemsd",
        "CropForegroundd",
        "DeleteItemsd",
    ),
    *(
        "ConcatItemsd",
        "EnsureTyped",
        "Invertd",
        "Lambdad",
        "LoadImaged",
        "OneOf",
        "Orientationd",
        "RandAdjustContrast",
        "RandAffine",
    ),
    *("RandCoarseDropout", "RandCoarseShuffle", "RandGaussianNoise", "RandGaussianSmooth", "RandSpatialCrop"),
    *(
        "RandSpatialCropSamplesd",
        "ScaleIntensityRanged",
        "ScaleIntensityRangePercentilesd",
        "SelectItemsd",
        "SpatialPadd",
    ),
    *("DataLoader", "Dataset", "DistributedSampler"),
    *("AveragePrecision", "MeanDice", "ROCAUC", "ignite.metrics.EpochMetric", "ignite.metrics.Loss", "operator.lt"),
    *("LrScheduleHandler", "MetricsSaver", "StatsHandler", "TensorBoardStatsHandler", "ValidationHandler"),
    *("SupervisedEvaluator", "SupervisedTrainer"),
    *("DenseNet121", "torch.nn.BCEWithLogitsLoss", "torch.nn.BatchNorm1d", "torch.nn.Linear", "torch.nn.ReLU"),
    *("torch.nn.parallel.DistributedDataParallel", "torch.optim.Adam", "torch.optim.AdamW"),
    *("UNet", "ClassesToIndicesd", "DiceCELoss", "FlattenSubKeysd", "RandAffined", "RandCropByLabelClassesd"),
    *("RandScaleIntensityd", "RandShiftIntensityd", "operator.gt", "operator.ne"),
    *("PatchDiscriminator", "RandFlipd", "RandSpatialCropd", "ResampleToMatchd"),
    *("RandFlip", "RandRotate", "RandRotate90", "RandZoom", "ResizeWithPadOrCrop"),
    *("RandAdjustContrastd", "RandGaussianNoised"),
    *("RandScaleIntensityFixedMean", "RandShiftIntensity", "torch.nn.Dropout"),
    *("DivisiblePadd", "PadListDataCollate", "RandIdentity"),
    "torch.nn.utils.convert_conv2d_weight_memory_format",
    "torch.nn.utils.convert_conv3d_weight_memory_format",
    "torch.optim.lr_scheduler.ExponentialLR",
    "torch.optim.lr_scheduler.LambdaLR",
    "torch.utils.data.RandomSampler",
}

# modules that run, fetch or read what may hold a program
FORBIDDEN = {"pickle", "dill", "joblib", "shelve", "marshal", "subprocess", "socket", "urllib", "http", "requests"}
ALLOWED = {"scripts/data/formats/dicom.py": {"subprocess"}}  # which calls dcm2niix


def label(path):
    return f"{path.parts[-3]}/{path.name}"


def walk(item):
    """All values of a configuration, at any depth."""
    yield item
    for child in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        yield from walk(child)


def values(path):
    return list(walk(json.loads(path.read_text(encoding="utf-8"))))


def expressions(path):
    texts = [item[1:] for item in values(path) if isinstance(item, str) and item.startswith("$")]
    return [text for text in texts if not text.startswith("import ")]


def references_as_names(expression):
    """An expression in which what MONAI looks up (`@train#crops`) is a name."""
    return re.sub(r"@\w+(?:(?:#|::)\w+)*", "_reference", expression)


def dotted(node):
    """The full name of what begins with a name, such as os.path.join; None for what begins otherwise."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{base}.{node.attr}" if isinstance(node, ast.Attribute) and (base := dotted(node.value)) else None


def used(expression):
    """What an expression calls and reads that is not on the lists."""
    tree = ast.parse(references_as_names(expression), mode="eval")
    own = {"_reference"} | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    parts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        name = dotted(node)
        is_whole = isinstance(node, (ast.Name, ast.Attribute)) and node not in parts
        if not is_whole or (isinstance(node, ast.Name) and node.id in own):
            continue
        is_method = isinstance(node, ast.Attribute) and (name is None or name.partition(".")[0] in own)
        allowed = METHODS if is_method else CALLS if node in called else VALUES
        if (node.attr if is_method else name) not in allowed:
            yield node.attr if is_method else name


@pytest.fixture(params=CONFIGS, ids=label)
def config(request):
    return request.param


def test_a_configuration_imports_nothing_else(config):
    assert set(json.loads(config.read_text(encoding="utf-8")).get("imports", [])) <= IMPORTS


def test_every_expression_uses_what_is_on_the_list_alone(config):
    assert not {name: text for text in expressions(config) for name in used(text)}


def test_every_component_is_on_the_list_or_comes_with_the_bundle(config):
    targets = {item["_target_"] for item in values(config) if isinstance(item, dict) and "_target_" in item}
    assert not {target for target in targets if not target.startswith("scripts.")} - TARGETS


def test_no_component_is_run_in_another_mode_and_no_other_file_is_read(config):
    modes = {item.get("_mode_", "callable") for item in values(config) if isinstance(item, dict)}
    assert modes == {"callable"}  # not debug, which opens a debugger
    assert not [item for item in values(config) if isinstance(item, str) and item.startswith("%")]


def test_the_lists_are_as_short_as_they_can_be():
    texts = [text for path in CONFIGS for text in expressions(path)]
    everything = " ".join(texts)
    assert not [name for name in CALLS if f"{name}(" not in everything]
    assert not [name for name in VALUES if not re.search(rf"{re.escape(name)}\b(?!\()", everything)]
    assert not [name for name in METHODS if f".{name}" not in everything]
    assert {
        item["_target_"]
        for path in CONFIGS
        for item in values(path)
        if isinstance(item, dict) and not item.get("_target_", "scripts.").startswith("scripts.")
    } == TARGETS


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('ls')",
        "os.system('ls')",
        "eval('1')",
        "open('/etc/passwd').read()",
        "getattr(os, 'system')('ls')",
        "(lambda f: f('ls'))(os.system)",
        "[f for f in (os.system,)][0]('ls')",
        "torch.load('model.pt')",
        "torch.hub.load('a', 'b')",
        "monai.bundle.download('a')",
        "@network.__class__.__base__.__subclasses__()",
        "().__class__",
        "sys.modules['os']",
    ],
)
def test_what_could_do_harm_would_be_found(expression):
    assert list(used(expression))


@pytest.mark.parametrize("path", sorted((ROOT / "bundles").glob("*/configs/logging.conf")), ids=label)
def test_what_is_evaluated_of_a_logging_configuration_is_the_screen(path):
    evaluated = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"(class|args|kwargs|validate)\s*[=:]", line)
    ]
    assert evaluated == ["class=StreamHandler", "args=(sys.stdout,)"]


def calls(path):
    """Full names of all functions that are called in a source file, and their keywords."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield dotted(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}


def test_weights_are_loaded_as_weights_alone():
    loads = [(path.name, words) for path in SOURCES for name, words in calls(path) if name == "torch.load"]
    assert len(loads) >= 2
    assert not [(name, words) for name, words in loads if words.get("weights_only") != "True"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_nor_evaluated_nor_fetched(source):
    tree = ast.walk(ast.parse(source.read_text(encoding="utf-8")))
    modules = [node for node in tree if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {alias.name for node in modules for alias in node.names}
    names |= {node.module or "" for node in modules if isinstance(node, ast.ImportFrom)}
    allowed = ALLOWED.get(source.relative_to(ROOT).as_posix(), set())
    assert {name.partition(".")[0] for name in names} & FORBIDDEN == allowed
    for name, words in calls(source):
        assert name not in ("eval", "exec", "compile", "__import__", "os.system")
        assert "allow_pickle" not in words
