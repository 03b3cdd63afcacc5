"""Tensors and progress in one safetensors file: no pickle, whole or absent, exact to the bit."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from viral.errors import DataError
from viral.files import atomic_write

FORMAT = "viral-checkpoint-1"


def save_checkpoint(path: Path, groups: Mapping[str, Mapping[str, Tensor]], progress: Mapping[str, Any]) -> None:
    """Write groups of named tensors and JSON-able progress, atomically."""
    tensors = {f"{group}/{name}": t.contiguous() for group, named in groups.items() for name, t in named.items()}
    metadata = {"format": FORMAT, "progress": json.dumps(progress), "groups": json.dumps(sorted(groups))}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, metadata)


def load_checkpoint(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Read what ``save_checkpoint`` wrote; raises ``DataError`` where the file is something else."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise DataError(f"not a file of format {FORMAT}", where=str(path), hint="delete it to start afresh")
            groups: dict[str, dict[str, Tensor]] = {group: {} for group in json.loads(metadata["groups"])}
            for key in file.keys():  # noqa: SIM118 - not a mapping
                group, _, name = key.partition("/")
                groups[group][name] = file.get_tensor(key)
    except (SafetensorError, OSError) as error:
        raise DataError(f"damaged ({error})", where=str(path), hint="delete it to start afresh") from None
    return groups, json.loads(metadata["progress"])
