"""Nearest items among very many: faiss's inverted lists, as many of them looked at as the wanted recall needs.

Shapes: I items, F features, K neighbours kept.
"""

from typing import Any

import torch
from torch import Tensor

from viral.base.progress import say
from viral.graph.blocks import row_blocks

RECALL = 0.99  # of the exact neighbours, over ``SAMPLE`` items
SAMPLE = 500
LEAST_PROBES, MOST = 16, 8  # one list in eight at most: beyond, exact products are quicker
POINTS = 64  # for each list, of which its centre is learnt


def inverted_lists(unit: Tensor, k: int, present: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """As ``nearest_neighbors``, for rows of unit length (I, F); None where faiss is missing or not worth it.

    The number of lists that are looked at is doubled until the exact neighbours of ``SAMPLE`` items are found with a
    recall of ``RECALL``; the recall is reported.
    """
    try:
        import faiss
    except ImportError:
        say("faiss is not installed (pip install 'viral[ann]')")
        return None
    there = torch.arange(len(unit)) if present is None else present.cpu().nonzero()[:, 0]
    known = unit.cpu()[there].float().contiguous()
    lists = max(1, int(4 * len(known) ** 0.5))
    quantizer = faiss.IndexFlatIP(known.shape[1])
    index = faiss.IndexIVFFlat(quantizer, known.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid = 0, 1
    index.train(known[:: max(1, len(known) // (POINTS * lists))].numpy())
    index.add(known.numpy())
    recall = _probe(index, known, min(k, len(known)), lists)
    if recall < RECALL:
        say(f"faiss finds {recall:.3f} of the neighbours in one list of {MOST}: too few")
        return None
    say(f"neighbours of {len(known):,} items by faiss, {index.nprobe} of {lists} lists each: recall {recall:.3f}")
    values, places = _search(index, known, k)
    own = torch.full((len(unit), k), -torch.inf), torch.zeros(len(unit), k, dtype=torch.int64)
    own[0][:, 0], own[1][:, 0] = 1.0, torch.arange(len(unit))  # all that an item has which is not present
    own[0][there], own[1][there] = values, there[places]
    return own[0].to(unit), own[1].to(unit.device)


def _probe(index: Any, known: Tensor, k: int, lists: int) -> float:
    """Set how many lists are looked at; returns the recall."""
    rows = torch.arange(0, len(known), max(1, len(known) // SAMPLE))[:SAMPLE]
    sample, blocks = known[rows], row_blocks(len(rows), len(known))
    exact = torch.cat([(sample[block] @ known.T).topk(k).indices for block in blocks])
    index.nprobe, recall = LEAST_PROBES, 0.0
    while index.nprobe <= max(LEAST_PROBES, lists // MOST):
        found = torch.from_numpy(index.search(known[rows].numpy(), k)[1])
        recall = (found[:, :, None] == exact[:, None]).any(dim=1).double().mean().item()
        if recall >= RECALL:
            break
        index.nprobe *= 2
    return recall


def _search(index: Any, known: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Cosines and places among the known, the item itself first; what is not found has -∞."""
    values, places = (torch.from_numpy(found) for found in index.search(known.numpy(), k))
    rows = torch.arange(len(known))
    values.masked_fill_(places < 0, -torch.inf)
    absent = ~(places == rows[:, None]).any(dim=1)  # among many exact copies
    places[absent, -1], values[absent, -1] = rows[absent], torch.inf
    values[places == rows[:, None]] = torch.inf
    order = values.topk(k)
    return order.values.clamp(max=1.0), places.gather(1, order.indices).clamp(min=0)
