"""Layers as the models of this field begin with them."""

from torch import nn

from viral.graph.functions import Projection


def linear(in_dim: int, out_dim: int, *, bias: bool = True, of: type[nn.Linear] = nn.Linear) -> nn.Linear:
    """A linear layer with Xavier-uniform weights and zero bias; ``of=Projection`` for features as they are."""
    layer = of(in_dim, out_dim, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def encoder(in_dim: int, hidden: int, out_dim: int, *, of: type[nn.Linear] = Projection) -> nn.Sequential:
    """Two layers with a leaky ReLU between; ``of`` is the kind of the first."""
    return nn.Sequential(of(in_dim, hidden), nn.LeakyReLU(), nn.Linear(hidden, out_dim))


def attention(dim: int, outputs: int) -> nn.Sequential:
    """Q tanh(W x + b): (n, D) -> (n, outputs)."""
    return nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, outputs, bias=False))
