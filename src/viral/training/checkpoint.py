"""Tensors and progress in one safetensors file: no pickle, whole or absent, exact to the bit, with a checksum."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from viral.base.errors import DataError
from viral.base.files import atomic_write

FORMAT = "viral-checkpoint-1"


def save_checkpoint(path: Path, groups: Mapping[str, Mapping[str, Tensor]], progress: Mapping[str, Any]) -> None:
    """Write groups of named tensors and JSON-able progress, atomically."""
    tensors = {f"{group}/{name}": t.contiguous() for group, named in groups.items() for name, t in named.items()}
    metadata = {"format": FORMAT, "progress": json.dumps(progress), "groups": json.dumps(sorted(groups))}
    metadata["sha256"] = _sha256(tensors, metadata)
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata)


def load_checkpoint(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Read what ``save_checkpoint`` wrote; raises ``DataError`` where the file is something else, or damaged.

    A file of before there were checksums is read without.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise DataError(f"not a file of format {FORMAT}", where=str(path), hint="delete it to start afresh")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        if "sha256" in metadata and metadata.pop("sha256") != _sha256(tensors, metadata):
            raise ValueError("its checksum differs")
        groups: dict[str, dict[str, Tensor]] = {group: {} for group in json.loads(metadata["groups"])}
        for key, tensor in tensors.items():
            group, _, name = key.partition("/")
            groups[group][name] = tensor
        return groups, dict(json.loads(metadata["progress"]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"damaged ({error})", where=str(path), hint="delete it to start afresh") from None


def _sha256(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    """Of all names, shapes, values and words."""
    digest = hashlib.sha256(json.dumps(sorted(metadata.items())).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
