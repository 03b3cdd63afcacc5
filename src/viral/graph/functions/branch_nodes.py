"""Layer 0 of several branches side by side, and what each branch counts to each user, in one table each.

A table of all nodes is tens of megabytes: memory that is written once more costs what a product costs. Shapes: U users,
I items, N = U + I nodes, P branches, D embedding dimension of one branch.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from viral.graph.functions.rows import SHORTEST

BLOCK_ROWS = 4096  # of all branches, worked off at once: they stay in the cache


def branch_nodes(users: Tensor, *items: Tensor) -> Tensor:
    """Rows of unit length, users before items, branch beside branch: (P, U, D) and P times (I, D) -> (N, P·D).

    The same as ``torch.cat([F.normalize(torch.cat([u, i]), dim=1) for u, i in zip(users, items)], dim=1)``.
    """
    result: Tensor = _BranchNodes.apply(users, *items)
    return result


class _BranchNodes(torch.autograd.Function):
    """y = x / ‖x‖, whose gradient is that of y less its part along y, over the same length."""

    @staticmethod
    def forward(ctx: Any, users: Tensor, *items: Tensor) -> Tensor:
        branches, num_users, dim = users.shape
        nodes = users.new_empty(num_users + len(items[0]), branches, dim)
        lengths = users.new_empty(*nodes.shape[:2], 1)
        for rows, block in _blocks(users, torch.stack(items)):
            length = torch.linalg.vector_norm(block, dim=2, keepdim=True, out=lengths[rows]).clamp_(min=SHORTEST)
            torch.div(block, length, out=nodes[rows])
        ctx.save_for_backward(nodes, lengths)
        ctx.num_users = num_users
        return nodes.flatten(1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, ...]:
        nodes, lengths = ctx.saved_tensors
        num_nodes, branches, dim = nodes.shape
        of_nodes = gradient.reshape(nodes.shape)
        to_users = gradient.new_empty(branches, ctx.num_users, dim)
        to_items = gradient.new_empty(branches, num_nodes - ctx.num_users, dim)
        memory = gradient.new_empty(min(BLOCK_ROWS, num_nodes), branches, dim)
        for rows, out in _blocks(to_users, to_items):
            g, y, length, inner = of_nodes[rows], nodes[rows], lengths[rows], memory[: len(out)]
            along = torch.mul(g, y, out=inner).sum(dim=2, keepdim=True).masked_fill_(length <= SHORTEST, 0)
            torch.div(torch.addcmul(g, y, along, value=-1, out=inner), length, out=out)
        return to_users, *to_items


def _blocks(users: Tensor, items: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Rows among all nodes and the block itself (n, P, D), of tables (P, U, D) and (P, I, D)."""
    for first, table in ((0, users), (users.shape[1], items)):
        for start, block in enumerate(table.transpose(0, 1).split(BLOCK_ROWS)):
            begin = first + start * BLOCK_ROWS
            yield slice(begin, begin + len(block)), block


def weigh_users(nodes: Tensor, weights: Tensor) -> Tensor:
    """What each branch counts to each user, items left as they are: (N, P·D), (U, P) -> (N, P·D)."""
    result: Tensor = _WeighUsers.apply(nodes, weights)
    return result


class _WeighUsers(torch.autograd.Function):
    """y = w x, so dx = w g and dw = ⟨x, g⟩, branch by branch."""

    @staticmethod
    def forward(ctx: Any, nodes: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(nodes, weights)
        return _weighed(nodes, weights)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        nodes, weights = ctx.saved_tensors
        shape = (*weights.shape, -1)
        of_users = (table[: len(weights)].reshape(shape) for table in (nodes, gradient))
        return _weighed(gradient, weights), torch.linalg.vecdot(*of_users)


def _weighed(nodes: Tensor, weights: Tensor) -> Tensor:
    result = torch.empty_like(nodes, memory_format=torch.contiguous_format)
    users = slice(None, len(weights))
    shape = (*weights.shape, -1)
    torch.mul(nodes[users].reshape(shape), weights[:, :, None], out=result[users].view(shape))
    result[len(weights) :] = nodes[len(weights) :]
    return result
