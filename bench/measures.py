"""What is measured. Every measure has the plain way, as it is commonly written, beside ours, in the same run."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from bench.timing import medians
from viral.data import ModelInputs, Split, Triplets, TripletSampler
from viral.evaluation import evaluate
from viral.graph import bipartite_adjacency, co_occurrence, knn_graph
from viral.models import LightGCN
from viral.training import build_model, peak_memory_bytes

Rows = dict[str, dict[str, float]]


def sparse_product(parts: Split, dim: int = 64) -> Rows:
    """One product with the symmetric adjacency, against torch's own formats and a copy of the table."""
    ours = bipartite_adjacency(parts.train)
    csr = ours.to_torch()
    coo = csr.to_sparse_coo().coalesce()
    nodes = torch.randn(ours.shape[0], dim)
    out = torch.empty_like(nodes)
    seconds = medians(
        {
            "ours": lambda: ours.multiply(nodes),
            "torch CSR": lambda: csr @ nodes,
            "torch COO": lambda: torch.sparse.mm(coo, nodes),
            "copy of the table (memory)": lambda: out.copy_(nodes),
        }
    )
    return {"sparse product": seconds}


def epochs(parts: Split, inputs: ModelInputs, num_layers: int) -> Rows:
    """A training epoch of LightGCN (batch 2048, d = 64): ours, and the same steps with COO products and plain Adam."""
    model = build_model(LightGCN, inputs, LightGCN.Config(num_layers=num_layers), 0)
    plain = build_model(LightGCN, inputs, LightGCN.Config(num_layers=num_layers), 0)
    coo = plain.adjacency.to_torch().to_sparse_coo().coalesce()
    sampler, rng = TripletSampler(parts.train), torch.Generator().manual_seed(0)
    fast = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    slow = torch.optim.Adam(plain.parameters(), lr=1e-3)

    def run(loss: Callable[..., Tensor], optimizer: torch.optim.Optimizer) -> None:
        for batch in sampler.epoch(2048, rng):
            optimizer.zero_grad(set_to_none=True)
            loss(batch).backward()
            optimizer.step()

    def plain_loss(batch: Triplets) -> Tensor:
        return _plain_loss(plain, coo, num_layers, batch)

    seconds = medians(
        {
            "ours": lambda: run(lambda batch: torch.stack(list(model.loss(batch).values())).sum(), fast),
            "COO products, plain Adam": lambda: run(plain_loss, slow),
        },
        repeats=5,
        warmup=1,
    )
    return {f"LightGCN training epoch, {num_layers} layers": seconds}


def _plain_loss(model: LightGCN, coo: Tensor, num_layers: int, batch: Triplets) -> Tensor:
    """LightGCN's loss as the zoos write it: full propagation, a stack of layers, indexing."""
    layers = [model.ego]
    for _ in range(num_layers):
        layers.append(torch.sparse.mm(coo, layers[-1]))
    nodes = torch.stack(layers, dim=1).mean(dim=1)
    users, items = nodes[: model.num_users], nodes[model.num_users :]
    u, chosen, skipped = users[batch.users], items[batch.positives], items[batch.negatives]
    loss = -torch.log(1e-10 + torch.sigmoid((u * chosen).sum(1) - (u * skipped).sum(1))).mean()
    ego = model.ego[batch.users], model.ego[batch.positives + model.num_users]
    return loss + 1e-4 * sum(e.norm() for e in ego) / len(u)


def validation(parts: Split, inputs: ModelInputs) -> Rows:
    """Full ranking of the validation users, recall and NDCG at 10 and 20, against a bare product and top-k."""
    scorer = build_model(LightGCN, inputs, LightGCN.Config(num_layers=2), 0).scorer()
    users = parts.valid.users.unique()

    def blocks() -> Iterator[Tensor]:
        yield from users.split(4096)

    def bare() -> None:
        for block in blocks():
            (scorer.users[block] @ scorer.items.T).topk(20)

    seconds = medians(
        {
            "ours, with mask and metrics": lambda: evaluate(
                scorer, parts.valid, parts.train, metrics=("recall", "ndcg")
            ),
            "bare product + top-k, blocks of 4096": bare,
        },
        repeats=7,
        warmup=1,
    )
    return {f"validation, {len(users):,} users": seconds}


def graphs(parts: Split) -> Rows:
    """Building the graphs."""
    features = torch.randn(parts.train.num_items, 384)
    seconds = medians(
        {
            "bipartite": lambda: bipartite_adjacency(parts.train),
            "item k-NN, 384-d, k = 10": lambda: knn_graph(features, 10),
            "users by co-occurrence, 200 kept": lambda: co_occurrence(parts.train, 200),
        },
        repeats=3,
        warmup=1,
    )
    return {"building graphs": seconds}


def memory() -> float:
    """Megabytes of the largest resident set so far."""
    return peak_memory_bytes() / 1e6
