"""Starts the public implementation as it is and makes it wait before each epoch, so that ours can take turns with it.

Run by ``python -m bench.peers`` with another interpreter: its source folder, a model and settings as JSON. Before every
epoch it prints READY to standard error and waits for a line.
"""

import importlib
import json
import sys
import types
from typing import Any

import numpy as np
import scipy.sparse
import torch
from public_viral import stub_pictures


def as_its_requirements_were() -> None:
    """What newer versions of its requirements took away, or what it asks for and does not need here."""
    np.float = float  # type: ignore[attr-defined]  # noqa: NPY001
    scipy.sparse.dok_matrix._update = lambda self, entries: self._dict.update(entries)
    stub_pictures()
    if not torch.cuda.is_available():  # one of its models moves a graph by itself
        torch.Tensor.cuda = lambda self, *_, **__: self  # type: ignore[method-assign]
    try:
        importlib.import_module("torch_scatter")
    except ImportError:  # called for the row sums of a graph, before the first epoch
        sys.modules["torch_scatter"] = types.SimpleNamespace(scatter_add=_scatter_add)  # type: ignore[assignment]


def _scatter_add(values: torch.Tensor, index: torch.Tensor, dim: int, dim_size: int) -> torch.Tensor:
    return values.new_zeros(dim_size).scatter_add_(dim, index, values)


def gated(model: type[Any]) -> type[Any]:
    """The model, which waits for the word before each epoch."""

    class Gated(model):  # type: ignore[misc]
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            kept = self._parameters.pop("result_embed", None)  # on a GPU it is no parameter, and is assigned to
            if kept is not None:
                self.result_embed = kept.data

        def pre_epoch_processing(self) -> Any:
            print("READY", file=sys.stderr, flush=True)
            if not sys.stdin.readline():
                sys.exit()
            return super().pre_epoch_processing()

    return Gated


def main() -> None:
    """Train until nobody says "go" any more."""
    source, model, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    importlib.import_module("torch_geometric.nn")  # it asks what torchvision there is, so it comes before the stub
    as_its_requirements_were()
    sys.path.insert(0, source)
    public = importlib.import_module("utils.quick_start")
    find = public.get_model
    public.get_model = lambda name: gated(find(name))  # type: ignore[attr-defined]
    public.quick_start(model=model, dataset="baby", config_dict=settings, save_model=False)


if __name__ == "__main__":
    main()
