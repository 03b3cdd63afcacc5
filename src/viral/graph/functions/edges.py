"""Edges whose weights are learnt: products and softmax over a fixed pattern, differentiable in the weights.

``graph.SparseMatrix`` holds constant weights; here they are an argument. Shapes: R rows, C columns, E edges, D width of
the dense factors.
"""

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Edges(nn.Module):
    """Directed edges, sorted by row; each row takes in from its columns. Weights come and go in the order of the edges.

    Like a graph it moves with the model that holds it and is not part of a state dict. Neither a dense (R, C) nor an
    (E, D) of all edges at once is formed, forward or backward.
    """

    rows: Tensor  # (E,) int64, ascending
    columns: Tensor  # (E,) int32
    offsets: Tensor  # (R+1,) int32: row r owns edges offsets[r] … offsets[r+1]
    turn: Tensor  # (E,) int64: the edges in the order of their columns
    turned_rows: Tensor  # (E,) int32
    turned_offsets: Tensor  # (C+1,) int32

    def __init__(self, rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> None:
        """``rows`` ascending (E,), ``columns`` (E,); raises ``ValueError`` for rows in another order."""
        super().__init__()
        if len(rows) and bool((rows.diff() < 0).any()):
            raise ValueError("edges must be sorted by row")
        self.shape = shape
        turn = torch.argsort(columns, stable=True)
        buffers = {
            "rows": rows.long(),
            "columns": columns.int(),
            "offsets": _offsets(rows, shape[0]),
            "turn": turn,
            "turned_rows": rows[turn].int(),
            "turned_offsets": _offsets(columns, shape[1]),
        }
        for name, tensor in buffers.items():
            self.register_buffer(name, tensor, persistent=False)

    def __len__(self) -> int:
        return len(self.rows)

    def dot(self, a: Tensor, b: Tensor) -> Tensor:
        """⟨a_r, b_c⟩ of every edge: (R, D), (C, D) -> (E,)."""
        result: Tensor = _Dot.apply(a, b, self)
        return result

    def sum(self, weights: Tensor, x: Tensor) -> Tensor:
        """Σ_c w_rc x_c for every row: (E,), (C, D) -> (R, D)."""
        result: Tensor = _Sum.apply(weights, x, self)
        return result

    def softmax(self, logits: Tensor) -> Tensor:
        """Softmax over the edges of each row: (E,) -> (E,)."""
        largest = logits.new_full((self.shape[0],), -torch.inf)
        largest = largest.scatter_reduce(0, self.rows, logits.detach(), "amax")
        powers = (logits - largest.index_select(0, self.rows)).exp()
        totals = powers.new_zeros(self.shape[0]).index_add(0, self.rows, powers)
        return powers / totals.index_select(0, self.rows)

    def laplacian(self, similarities: Tensor) -> Tensor:
        """D^-1/2 W D^-1/2 with W's row sums D on both sides, of a square pattern: (E,) ≥ 0 -> (E,)."""
        degrees = similarities.new_zeros(self.shape[0]).index_add(0, self.rows, similarities)
        scale = degrees.clamp(min=1e-12).rsqrt()
        return similarities * scale.index_select(0, self.rows) * scale.index_select(0, self.columns)

    def products(self, a: Tensor, b: Tensor) -> Tensor:
        """``dot`` outside autograd: of a bᵀ only what lies on the edges."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
            edges = torch.sparse_csr_tensor(
                self.offsets, self.columns, a.new_zeros(len(self)), self.shape, device=a.device
            )
        return torch.sparse.sampled_addmm(edges, a.contiguous(), b.contiguous().T, beta=0).values()

    def gather(self, weights: Tensor, x: Tensor) -> Tensor:
        """``sum`` outside autograd."""
        return _bags(self.columns, x, self.offsets, weights)

    def scatter(self, weights: Tensor, x: Tensor) -> Tensor:
        """Σ_r w_rc x_r for every column, outside autograd: (E,), (R, D) -> (C, D)."""
        return _bags(self.turned_rows, x, self.turned_offsets, weights.index_select(0, self.turn))


def _offsets(ends: Tensor, size: int) -> Tensor:
    return F.pad(torch.bincount(ends, minlength=size).cumsum(0), (1, 0)).int()


def _bags(places: Tensor, x: Tensor, offsets: Tensor, weights: Tensor) -> Tensor:
    return F.embedding_bag(
        places, x.contiguous(), offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


class _Dot(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.edges = edges
        return edges.products(a, b)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        a, b = ctx.saved_tensors
        to_a, to_b, _ = ctx.needs_input_grad
        return (
            ctx.edges.gather(gradient, b) if to_a else None,
            ctx.edges.scatter(gradient, a) if to_b else None,
            None,
        )


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weights: Tensor, x: Tensor, edges: Edges) -> Tensor:
        ctx.save_for_backward(weights, x)
        ctx.edges = edges
        return edges.gather(weights, x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        weights, x = ctx.saved_tensors
        to_weights, to_x, _ = ctx.needs_input_grad
        return (
            ctx.edges.products(gradient, x) if to_weights else None,
            ctx.edges.scatter(weights, gradient) if to_x else None,
            None,
        )
