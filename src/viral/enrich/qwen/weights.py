"""The files of a local checkpoint: whether they are whole, and the digest by which the ledger knows them."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from viral.base.errors import DataError
from viral.base.file_signatures import refuse_stand_ins
from viral.base.files import fingerprint, sha256_file
from viral.base.progress import say

SUFFIXES = {".json", ".jinja", ".txt", ".model", ".safetensors"}
LARGE = 2_000_000_000  # bytes, from where on the wait is announced
_LENGTH = 8  # bytes, of the number of bytes of the header
_MOST = 100_000_000  # bytes of a header, as safetensors bounds it
_FETCH = "fetch the folder again, whole: `hf download NAME --local-dir FOLDER`, or `git lfs pull` in a clone"


def folder_revision(folder: Path) -> str:
    """``sha256-`` and 16 digits of the names and whole contents of configuration, tokenizer, template and weights.

    Whole, as a fine-tuned model has the same headers and sizes. Four files at a time, at the speed of the disk or of
    SHA-256. Raises ``DataError`` where the folder has no weights in safetensors, or a file of it is not whole.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not any(path.suffix == ".safetensors" for path in files):
        hint = "give the folder of a checkpoint in the hub's layout, with its *.safetensors; other weights are not read"
        raise DataError("no weights in safetensors", where=str(folder), hint=hint)
    check_whole(files)
    size = sum(path.stat().st_size for path in files)
    if size > LARGE:
        say(f"digest of {folder.name}: reading {size / 1e9:,.1f} GB")
    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(sha256_file, files))
    parts = [[path.name, digest] for path, digest in zip(files, digests, strict=True)]
    return f"sha256-{fingerprint(parts)[:16]}"


def check_whole(files: Iterable[Path]) -> None:
    """Raise ``DataError`` for a file that is a Git LFS pointer or a web page, empty, or shorter than its weights."""
    for path in files:
        refuse_stand_ins(path, "the file of a model")
        if path.suffix == ".safetensors":
            _check_weights(path)
        elif path.name.endswith(".safetensors.index.json"):
            _check_parts(path)


def _check_weights(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        header = file.read(length) if length <= min(size, _MOST) else b""
    if _LENGTH + length > size or not size:
        raise _not_whole(path, f"its {size:,} bytes are not even a header")
    try:
        tensors = json.loads(header)
        ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__"]
        wanted = _LENGTH + length + max(ends, default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise _not_whole(path, "its header cannot be read") from None
    if size < wanted:
        raise _not_whole(path, f"{size:,} of {wanted:,} bytes")


def _check_parts(index: Path) -> None:
    """Whether all the files are there that the weights are spread over."""
    try:
        names = sorted(set(map(str, json.loads(index.read_bytes())["weight_map"].values())))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError("the list of the weights cannot be read", where=str(index), hint=_FETCH) from None
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        what = f"{len(missing)} of the {len(names)} files of the weights are missing: {', '.join(missing[:3])}"
        raise DataError(what, where=str(index.parent), hint=_FETCH)


def _not_whole(path: Path, why: str) -> DataError:
    return DataError(f"the weights are not whole ({why})", where=str(path), hint=_FETCH)
