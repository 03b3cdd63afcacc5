"""Layers as the models of this field begin with them."""

from torch import nn


def linear(in_dim: int, out_dim: int, *, bias: bool = True, of: type[nn.Linear] = nn.Linear) -> nn.Linear:
    """A linear layer with Xavier-uniform weights and zero bias; ``of=Projection`` for features as they are."""
    layer = of(in_dim, out_dim, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
