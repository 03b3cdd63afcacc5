"""What is measured beside its limit: products, ranking, graphs. Seconds; the first row is ours, ``limit`` the bound."""

from collections.abc import Callable
from functools import partial

import scipy.sparse as sp
import torch
import torch.nn.functional as F

from bench.kernel import compiled
from bench.limits import limits
from bench.timing import medians
from bench.worlds import generated
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.evaluation import evaluate
from viral.graph import SparseMatrix, bipartite_adjacency, knn_graph, nearest_neighbors, user_neighbors
from viral.graph.functions import Projection
from viral.models import EmbeddingScorer

Rows = dict[str, dict[str, float]]
DIM, WIDTH, BLOCK, IMAGE = 64, 384, 512, 4096


def sparse_product(parts: Split) -> Rows:
    """One product with the symmetric adjacency, against the best kernel known, torch's own formats and the traffic."""
    ours = bipartite_adjacency(parts.train)
    csr = ours.to_torch()
    coo = csr.to_sparse_coo().coalesce()
    nodes = torch.randn(ours.shape[0], DIM)
    scipys = sp.csr_array((ours.values.numpy(), ours.columns.numpy(), ours.offsets.numpy()), shape=ours.shape)
    kernel = {"mode": "sum", "per_sample_weights": ours.values, "include_last_offset": True}
    candidates: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.multiply_blocks(ours.blocks(nodes)),
        "embedding_bag": lambda: F.embedding_bag(ours.columns, nodes, ours.offsets, **kernel),
        "torch.sparse.mm, CSR, sum": lambda: torch.sparse.mm(csr, nodes, "sum"),
        "torch CSR": lambda: csr @ nodes,
        "torch COO": lambda: torch.sparse.mm(coo, nodes),
        "scipy CSR": lambda: scipys @ nodes.numpy(),
    }
    fastest = compiled(ours, nodes)
    if fastest is not None:
        torch.testing.assert_close(fastest(), ours.multiply(nodes))
        candidates["C++ with prefetch"] = fastest
    seconds = medians(candidates)
    traffic = 8 * nodes.numel() + 8 * len(ours.values)
    return {"sparse product": seconds | {"limit": traffic / limits()["bytes_per_second"]}}


def large_product() -> Rows:
    """The same of a log whose users' table is beyond the cache, against its halves and the matrix as a whole."""
    ours = bipartite_adjacency(generated(users=200_000, items=50_000, interactions=5_000_000).train)
    nodes = torch.randn(ours.shape[0], DIM)
    users, items = ours.blocks(nodes)
    halves = ((ours.of_users, items), (ours.of_items, users))
    candidates: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.multiply_blocks((users, items)),
        "halves": lambda: [SparseMatrix.multiply(half, table) for half, table in halves],
        "embedding_bag": lambda: ours.multiply(nodes),
    }
    seconds = medians(candidates, repeats=7, warmup=1)
    traffic = 8 * nodes.numel() + 8 * len(ours.values)
    return {"sparse product of a large log": seconds | {"limit": traffic / limits()["bytes_per_second"]}}


def ranking(parts: Split) -> Rows:
    """Full ranking with mask, recall and NDCG, against a bare product and one pass over its scores."""
    rng = torch.Generator().manual_seed(0)
    users, items = (torch.randn(n, DIM, generator=rng) for n in (parts.train.num_users, parts.train.num_items))
    scorer, ranked = EmbeddingScorer(users, items), parts.valid.users.unique()
    scores = torch.empty(BLOCK, len(items))

    def bare(then: Callable[[torch.Tensor], object]) -> None:
        for block in ranked.split(BLOCK):
            then(torch.mm(users[block], items.T, out=scores[: len(block)]))

    measured = {
        "ours": lambda: evaluate(scorer, parts.valid, parts.train, metrics=("recall", "ndcg")),
        "limit": lambda: bare(lambda block: block.amax(dim=1)),
        "bare product, torch.topk": lambda: bare(lambda block: block.topk(20)),
    }
    return {f"ranking for {len(ranked):,} users": medians(measured, repeats=5, warmup=1)}


def graphs(parts: Split) -> Rows:
    """The graphs of Baby's size, against the bare products that they contain."""
    train, features = parts.train, torch.randn(parts.train.num_items, WIDTH)
    offsets, items = train.rows()
    ones = torch.ones(len(items)).numpy()
    log = sp.csr_array((ones, items.int().numpy(), offsets.int().numpy()), shape=(train.num_users, train.num_items))
    turned = log.T.tocsr()
    users = {"ours": lambda: user_neighbors(train, 200), "limit": lambda: log @ turned}
    bipartite = {"ours": lambda: bipartite_adjacency(train)}
    near = {"ours": lambda: knn_graph(features, 10), "all cosines, torch.topk": lambda: _plain(features, 11)}
    found = {name: medians(of, repeats=5, warmup=1) for name, of in (("users", users), ("bipartite", bipartite))}
    seconds = medians(near, repeats=5, warmup=1)
    half = WIDTH * len(features) ** 2  # operations of half of the products, as each serves both of its sides
    return {
        "graph of users, 200 kept": found["users"],
        "bipartite graph": found["bipartite"],
        "k-NN graph": seconds | {"limit": half / limits()["flops"]},
    }


def _plain(features: torch.Tensor, k: int) -> None:
    unit = F.normalize(features, dim=1)
    for block in unit.split(1024):
        (block @ unit.T).topk(k)


def many_items(count: int = 100_000) -> Rows:
    """k-NN of 100,000 × 384: exact, so its recall is 1."""
    features = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(0))
    seconds = medians({"ours": lambda: nearest_neighbors(features, 11)}, repeats=5, warmup=0)
    return {f"k-NN of {count:,} × {WIDTH}": seconds | {"limit": WIDTH * count**2 / limits()["flops"]}}


def projecting(count: int = 7_050) -> Rows:
    """Image features to 64 and to 256 outputs, forward and gradient, against a plain layer and the machine's speed."""
    features, rows = torch.randn(count, IMAGE, generator=torch.Generator().manual_seed(0)), {}
    for outputs in (64, 256):
        layers = {"ours": Projection(IMAGE, outputs), "nn.Linear": torch.nn.Linear(IMAGE, outputs)}
        gradient = torch.randn(count, outputs)
        seconds = medians({name: partial(_step, layer, features, gradient) for name, layer in layers.items()})
        bound = 2 * 2 * count * IMAGE * outputs / limits()["flops"]
        rows[f"projection of {count:,} × {IMAGE} to {outputs}"] = seconds | {"limit": bound}
    return rows


def _step(layer: torch.nn.Module, features: torch.Tensor, gradient: torch.Tensor) -> None:
    layer.zero_grad()
    layer(features).backward(gradient)


def few(part: Interactions, users: int) -> Interactions:
    """The interactions of the first users alone."""
    kept = part.users < users
    return Interactions(part.users[kept], part.items[kept], part.num_users, part.num_items)
