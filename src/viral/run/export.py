"""A bundle for other programs: vectors as Parquet, and an ONNX graph that ranks as we do.

``users.parquet`` and ``items.parquet`` (id, ``vector``; a score is their inner product) · ``scorer.onnx`` ·
``export.json`` (counts, parts, the graph's inputs and outputs). Models of item-item weights have no user vectors: an
item's vector is then its column of weights, a user's the indicator of the history, and that is the graph's input
(``taken``). Of a model with memory beside its vectors the tables are the vectors' side, and only the graph has the
whole score: it keeps the histories and the item-item weights as one dense table.
Shapes: U users, I items, D the width of a vector, B users of a batch, L items of the longest history of a batch.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from viral.base.extras import require
from viral.base.files import staged_folder, write_json
from viral.models.families.closed_form import check_dense
from viral.models.scorers import MEMORY, Scorer, SparseTable
from viral.run.bundle import Bundle

ONNX_FILE, USERS_FILE, ITEMS_FILE, MANIFEST_FILE = "scorer.onnx", "users.parquet", "items.parquet", "export.json"
OPSET, IR_VERSION = 18, 10
Step = tuple[str, list[str], str, dict[str, Any]]  # of a graph: operator, inputs, outputs, attributes
LARGE = 1_000_000_000  # bytes of tensors, from which on they lie beside the graph: a protobuf ends at 2 GB

# The users' histories as rows of counts (B, I), times the weights and the users' scales, added to ``products``. Row u
# of ``places`` (B, L) goes on from the user's offset; where their history is shorter than L, item 0 is counted 0 times.
MEMORY_STEPS: list[Step] = [
    ("Gather", ["memory_offsets", "users"], "starts", {}),
    ("Add", ["users", "one"], "following", {}),
    ("Gather", ["memory_offsets", "following"], "ends", {}),
    ("Sub", ["ends", "starts"], "lengths", {}),
    ("ReduceMax", ["lengths"], "longest", {"keepdims": 0}),
    ("Range", ["zero", "longest", "one"], "steps", {}),
    ("Unsqueeze", ["starts", "second"], "firsts", {}),
    ("Unsqueeze", ["lengths", "second"], "limits", {}),
    ("Add", ["firsts", "steps"], "reached", {}),
    ("Less", ["steps", "limits"], "there", {}),
    ("Where", ["there", "reached", "zero"], "places", {}),
    ("Gather", ["memory_items", "places"], "remembered", {}),
    ("Cast", ["there"], "counts", {"to": 1}),  # to float
    ("Shape", ["users"], "batch", {}),
    ("Concat", ["batch", "width"], "shape", {"axis": 0}),
    ("ConstantOfShape", ["shape"], "nobody", {}),
    ("ScatterElements", ["nobody", "remembered", "counts"], "history", {"axis": 1, "reduction": "add"}),
    ("MatMul", ["history", "memory_weights"], "sums", {}),
    ("Gather", ["memory_scales", "users"], "scales", {}),
    ("Unsqueeze", ["scales", "second"], "factors", {}),
    ("Mul", ["sums", "factors"], "memory", {}),
    ("Add", ["products", "memory"], "all", {}),
]


def export(bundle: Bundle, out: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the folder ``out`` and return its manifest.

    Raises ``UsageError`` where onnx is not installed, ``DataError`` where item-item weights are too many for one table.
    """
    with staged_folder(out, overwrite=overwrite) as folder:
        items, by_vectors = _whole(bundle.scorer.item_vectors), bundle.scorer.vectors
        if by_vectors is not None:
            _table("user_id", bundle.users.ids, by_vectors.users, folder / USERS_FILE)
        _table("item_id", bundle.items.ids, items, folder / ITEMS_FILE, title=bundle.titles)
        save_scorer(bundle, folder / ONNX_FILE)
        users = {"users": "int64 (B,), rows of users.parquet"}
        manifest = {
            "model": bundle.about.get("model", ""),
            "users": len(bundle.users),
            "items": len(bundle.items),
            "dimensions": items.shape[1],
            "parts": {} if by_vectors is None else {name: list(span) for name, span in by_vectors.parts.items()},
            **_remembered(bundle.scorer),
            "inputs": {
                **({"taken": "float32 (B, I), 0 or 1"} if by_vectors is None else users),
                "mask": "bool (B, I), true: not to be ranked",
                "k": "int64 (1,)",
            },
            "outputs": {"scores": "float32 (B, k)", "items": "int64 (B, k), rows of items.parquet"},
        }
        write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def _remembered(scorer: Scorer) -> dict[str, Any]:
    """The manifest's entry of a memory; empty without one."""
    if scorer.vectors is None or scorer.item_weights is None:
        return {}
    about = "added to the inner product by scorer.onnx: scale of the user times the weights' sum over the history"
    tensors = "memory_weights (I, I), memory_scales (U,), memory_offsets (U + 1,), memory_items (E,) of scorer.onnx"
    return {MEMORY: {"about": about, "weight": scorer.manifest()["weight"], "tensors": tensors}}


def _whole(table: Tensor | SparseTable) -> Tensor:
    """A table as it is, or a sparse one made dense: what reads it knows none. ``DataError`` where that is too large."""
    if isinstance(table, Tensor):
        return table
    check_dense(len(table), hint="export a model that ranks by vectors")
    return table[torch.arange(len(table))]


def _table(key: str, ids: tuple[str, ...], vectors: Tensor, path: Path, **columns: tuple[str, ...]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = np.ascontiguousarray(vectors.numpy())
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    more = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    pq.write_table(pa.table({key: pa.array(ids, pa.string()), **more, "vector": lists}), path)


def save_scorer(bundle: Bundle, path: Path) -> None:
    """Write the graph: rows of users (or histories), times the items, plus memory, masked, the k best."""
    require("onnx", purpose="exporting")
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    tensors, steps = _scoring(bundle.scorer)
    tensors["nothing"] = torch.tensor(-torch.inf, dtype=tensors["item_vectors"].dtype)
    steps += [
        ("Where", ["mask", "nothing", "all"], "allowed", {}),
        ("TopK", ["allowed", "k"], "scores items", {"axis": -1, "largest": 1, "sorted": 1}),
    ]
    count = len(bundle.items)
    if bundle.scorer.vectors is None:
        first = helper.make_tensor_value_info("taken", TensorProto.FLOAT, ["B", count])
    else:
        first = helper.make_tensor_value_info("users", TensorProto.INT64, ["B"])
    inputs = [
        first,
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["B", count]),
        helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
    ]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", "K"]),
        helper.make_tensor_value_info("items", TensorProto.INT64, ["B", "K"]),
    ]
    nodes = [helper.make_node(kind, given, made.split(), **options) for kind, given, made, options in steps]
    stored = [numpy_helper.from_array(tensor.contiguous().numpy(), name) for name, tensor in tensors.items()]
    graph = helper.make_graph(nodes, "viral", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    large = sum(tensor.nbytes for tensor in tensors.values()) > LARGE
    onnx.save_model(model, str(path), save_as_external_data=large, location=f"{path.name}.data")


def _scoring(scorer: Scorer) -> tuple[dict[str, Tensor], list[Step]]:
    """What is stored and what is done with it, up to ``all`` (B, I): the scores of all items."""
    tensors, steps, vectors = {"item_vectors": _whole(scorer.item_vectors).T.contiguous()}, list[Step](), scorer.vectors
    if vectors is not None:
        tensors["user_vectors"] = vectors.users
        steps.append(("Gather", ["user_vectors", "users"], "taken", {"axis": 0}))
    if vectors is None or scorer.item_weights is None:
        return tensors, [*steps, ("MatMul", ["taken", "item_vectors"], "all", {})]
    steps.append(("MatMul", ["taken", "item_vectors"], "products", {}))
    kept = scorer.tensors()
    tensors |= {
        "memory_weights": _whole(scorer.item_weights.item_vectors).T,
        "memory_scales": kept["scales"],
        "memory_offsets": kept["memory/offsets"],
        "memory_items": kept["memory/items"],
        "zero": torch.tensor(0),
        "one": torch.tensor(1),
        "second": torch.tensor([1]),  # the axis
        "width": torch.tensor([scorer.num_items]),
    }
    return tensors, steps + MEMORY_STEPS
