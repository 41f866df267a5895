"""A bundle as a file to publish: a zip of the same bytes wherever it is made, its checksum, its address."""

import argparse
import hashlib
import json
import zipfile
from pathlib import Path

from scripts.atomic import write_atomically
from scripts.errors import InputError, report_input_errors

__all__ = ["bundle_files", "model_info", "release_address", "write_release"]

# what a bundle is; runs and caches are not
PARTS = (
    *("LICENSE", "configs/*.json", "configs/logging.conf", "docs/README.md", "docs/data_license.txt"),
    *("models/*.json", "models/model.pt"),
    # by name, since scans of one's own may lie beside them
    *("models/landmarks.csv", "models/example_body.nii.gz", "models/calibration.csv"),
    *("scripts/**/*.py", "scripts/py.typed", "scripts/reports/templates/*.html"),  # in every bundle all of them
)
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of a zip's calendar
LARGEST = 25_000_000  # bytes of a file in the Model Zoo


def bundle_files(bundle: Path) -> list[Path]:
    """Files of a bundle's folder that are published, sorted by name."""
    found = (path for part in PARTS for path in bundle.glob(part))
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def write_release(bundle: str | Path, dist_dir: str | Path) -> Path:
    """Write NAME_vVERSION.zip, with one folder NAME at its top, and NAME_vVERSION.zip.sha256 for `sha256sum -c`.

    Links become files. The same files give the same bytes: nothing is compressed, since compressed bytes differ from
    one zlib to another, and weights would hardly be smaller.

    Args:
        bundle: its folder.
        dist_dir: where the files go.

    Returns:
        Path of the zip.

    Raises:
        InputError: it has no weights, a file is too large, or its metadata do not tell of its version.
    """
    bundle = Path(bundle).resolve()
    files = bundle_files(bundle)
    _check(bundle, files)
    path = Path(dist_dir) / f"{bundle.name}_v{_version(bundle)}.zip"
    write_atomically(path, lambda temporary: _write_zip(temporary, bundle, files))
    sums = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    write_atomically(path.with_name(f"{path.name}.sha256"), lambda file: file.write_text(sums, encoding="utf-8"))
    return path


def release_address(release: str) -> str:
    """Where the files of a release on GitHub are, from owner/repository/tag.

    Raises:
        InputError: it has another form.
    """
    parts = release.split("/")
    if len(parts) != 3 or not all(parts):
        raise InputError(f"The release is {release}: give owner/repository/tag.")
    owner, repository, tag = parts
    return f"https://github.com/{owner}/{repository}/releases/download/{tag}"


def model_info(zips: list[Path], address: str) -> dict[str, dict[str, str]]:
    """What `monai.bundle.download` looks up where no version is given, as models/model_info.json at a release's tag.

    Args:
        zips: of `write_release`.
        address: of `release_address`.
    """
    return {
        path.stem: {"checksum": hashlib.sha1(path.read_bytes()).hexdigest(), "source": f"{address}/{path.name}"}
        for path in zips
    }


def _version(bundle: Path) -> str:
    path = bundle / "configs" / "metadata.json"
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON ({error}): mend it.") from error
    version = metadata.get("version")
    if not version or version not in metadata.get("changelog", {}):
        raise InputError(f"{path} needs a version, and a line of the changelog for it; the version is {version}.")
    return version


def _check(bundle: Path, files: list[Path]) -> None:
    for name in ("LICENSE", "configs/metadata.json", "configs/inference.json", "models/model.pt"):
        if bundle / name not in files:
            raise InputError(f"{bundle} has no {name}: a bundle cannot be published without.")
    for path in files:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has more than {LARGEST // 10**6} MB: store weights in float16, or leave it out.")


def _write_zip(path: Path, bundle: Path, files: list[Path]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            entry = zipfile.ZipInfo(f"{bundle.name}/{file.relative_to(bundle).as_posix()}", FIRST_DAY)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # on every system the rights of one
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    report_input_errors()
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("bundles", nargs="+", help="their folders")
    parser.add_argument("--dist_dir", default="dist", help="where the files go")
    parser.add_argument("--release", help="owner/repository/tag on GitHub: writes model_info.json too")
    given = parser.parse_args()
    address = release_address(given.release) if given.release else None
    made = [write_release(bundle, given.dist_dir) for bundle in given.bundles]
    if address:
        info = json.dumps(model_info(made, address), indent=4) + "\n"
        write_atomically(Path(given.dist_dir) / "model_info.json", lambda file: file.write_text(info, encoding="utf-8"))
    print("\n".join(map(str, made)))
