"""Whether the files of a checkpoint are whole: weights as long as their own header says, and no pointers or pages."""

import json
from collections.abc import Iterable
from pathlib import Path

from viral.base.errors import DataError
from viral.base.file_kinds import refuse_stand_ins

_LENGTH = 8  # bytes, of the number of bytes of the header
_MOST = 100_000_000  # bytes of a header, as safetensors bounds it
_FETCH = "fetch the folder again, whole: `hf download NAME --local-dir FOLDER`, or `git lfs pull` in a clone"


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
