"""A bundle for other programs: vectors as Parquet, and an ONNX graph that ranks as we do.

``users.parquet`` and ``items.parquet`` (id, ``vector``; a score is their inner product) · ``scorer.onnx`` ·
``export.json`` (counts, parts, the graph's inputs and outputs). Models of item-item weights have no user vectors: an
item's vector is then its column of weights, a user's the indicator of what was taken, and that is the graph's input.
Shapes: U users, I items, D the width of a vector, B users of a batch.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from viral.bundle import Bundle
from viral.errors import UsageError
from viral.files import staged_folder, write_json
from viral.models.base import EmbeddingScorer
from viral.models.gram import check_dense
from viral.models.item_weights import AnyScorer
from viral.retrieval.taste import item_vectors

ONNX_FILE, USERS_FILE, ITEMS_FILE, MANIFEST_FILE = "scorer.onnx", "users.parquet", "items.parquet", "export.json"
OPSET, IR_VERSION = 18, 10
LARGE = 1_000_000_000  # bytes of tensors, from which on they lie beside the graph: a protobuf ends at 2 GB


def export(bundle: Bundle, out: Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Write the folder ``out`` and return its manifest; raises ``UsageError`` where onnx is not installed."""
    with staged_folder(out, overwrite=overwrite) as folder:
        vectors = _vectors(bundle.scorer)
        by_vectors = isinstance(bundle.scorer, EmbeddingScorer)
        if isinstance(bundle.scorer, EmbeddingScorer):
            _table("user_id", bundle.users.ids, bundle.scorer.users, folder / USERS_FILE)
        _table("item_id", bundle.items.ids, vectors, folder / ITEMS_FILE, title=bundle.titles)
        save_scorer(bundle, folder / ONNX_FILE)
        manifest = {
            "model": bundle.about.get("model", ""),
            "users": len(bundle.users),
            "items": len(bundle.items),
            "dimensions": vectors.shape[1],
            "parts": {name: list(span) for name, span in getattr(bundle.scorer, "parts", {}).items()},
            "inputs": {
                **(
                    {"users": "int64 (B,), rows of users.parquet"}
                    if by_vectors
                    else {"taken": "float32 (B, I), 0 or 1"}
                ),
                "mask": "bool (B, I), true: not to be ranked",
                "k": "int64 (1,)",
            },
            "outputs": {"scores": "float32 (B, k)", "items": "int64 (B, k), rows of items.parquet"},
        }
        write_json(folder / MANIFEST_FILE, manifest)
    return manifest


def _vectors(scorer: AnyScorer) -> Tensor:
    """The items' side (I, D), whole: what reads it knows no sparse weights. ``DataError`` where that is too large."""
    found = item_vectors(scorer)
    if isinstance(found, Tensor):
        return found
    check_dense(len(found), hint="export a model that ranks by vectors")
    return found[torch.arange(len(found))]


def _table(key: str, ids: tuple[str, ...], vectors: Tensor, path: Path, **columns: tuple[str, ...]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = np.ascontiguousarray(vectors.numpy())
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    more = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    pq.write_table(pa.table({key: pa.array(ids, pa.string()), **more, "vector": lists}), path)


def save_scorer(bundle: Bundle, path: Path) -> None:
    """Write the graph: rows of users (or of what was taken), times the items, masked, the k best."""
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        hint = "pip install 'viral[onnx]'"
        raise UsageError("exporting needs onnx, which is not installed", hint=hint) from None
    scorer = bundle.scorer
    items = _vectors(scorer).T.contiguous()  # (D, I)
    tensors = {"item_vectors": items, "nothing": torch.tensor(-torch.inf, dtype=items.dtype)}
    nodes, first = [], helper.make_tensor_value_info("taken", TensorProto.FLOAT, ["B", len(bundle.items)])
    if isinstance(scorer, EmbeddingScorer):
        tensors["user_vectors"] = scorer.users
        first = helper.make_tensor_value_info("users", TensorProto.INT64, ["B"])
        nodes.append(helper.make_node("Gather", ["user_vectors", "users"], ["taken"], axis=0))
    nodes += [
        helper.make_node("MatMul", ["taken", "item_vectors"], ["all"]),
        helper.make_node("Where", ["mask", "nothing", "all"], ["allowed"]),
        helper.make_node("TopK", ["allowed", "k"], ["scores", "items"], axis=-1, largest=1, sorted=1),
    ]
    inputs = [
        first,
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["B", len(bundle.items)]),
        helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
    ]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", "K"]),
        helper.make_tensor_value_info("items", TensorProto.INT64, ["B", "K"]),
    ]
    stored = [numpy_helper.from_array(tensor.contiguous().numpy(), name) for name, tensor in tensors.items()]
    graph = helper.make_graph(nodes, "viral", inputs, outputs, stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    large = sum(tensor.nbytes for tensor in tensors.values()) > LARGE
    onnx.save_model(model, str(path), save_as_external_data=large, location=f"{path.name}.data")
