"""Fusions to compare with: weighted sums of modalities, and the prompt beside the answer.

Shapes: I items, D embedding dimension, F features, M modalities.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from viral.models.families.layers import linear


class WeightedSum(nn.Module):
    """Σ_m a_m h_m with a = softmax of M learnt numbers, the same for every item."""

    def __init__(self, num_sources: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_sources))

    def forward(self, sources: Sequence[Tensor]) -> list[Tensor]:
        """M times (I, D) -> one (I, D)."""
        return [torch.einsum("m,mid->id", self.logits.softmax(dim=0), torch.stack(list(sources)))]


class AttentionSum(nn.Module):
    """Σ_m a_im h_im with a_i = softmax_m(qᵀ tanh(W h_im + b)): each item weighs its modalities by what they say."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.key, self.query = linear(dim, dim), linear(dim, 1, bias=False)

    def forward(self, sources: Sequence[Tensor]) -> list[Tensor]:
        """M times (I, D) -> one (I, D)."""
        encoded = torch.stack(list(sources))
        weights = self.query(self.key(encoded).tanh()).softmax(dim=0)  # (M, I, 1)
        return [(weights * encoded).sum(dim=0)]


class KnowledgeFusion(nn.Module):
    """v + W_o Σ_j a_j W_v x_j, a = softmax(q(v)ᵀ k(x_j) / √F) over x = (v, prompt): the prompt beside the answer.

    The paper's summary speaks of attention between prompt and item embedding; no code of the authors has it, so this
    reading is ours: the item (its description's embedding v) asks over two tokens, itself and the words the describer
    was prompted with about this item (the title guided it), and adds what it is given.
    """

    prompt: Tensor  # (I, F_p), fixed

    def __init__(self, dim: int, prompt: Tensor) -> None:
        super().__init__()
        self.scale = dim**0.5
        self.register_buffer("prompt", prompt, persistent=False)
        self.enter = linear(prompt.shape[1], dim)
        self.query, self.key = linear(dim, dim), linear(dim, dim, bias=False)  # a key's bias would change no weight
        self.value, self.out = linear(dim, dim), linear(dim, dim)

    def forward(self, sources: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{role: (I, F)} -> the same, with the prompt in the visual one."""
        item = sources["visual"]
        tokens = torch.stack([item, self.enter(self.prompt)])  # (2, I, F)
        weights = ((self.key(tokens) * self.query(item)).sum(dim=-1, keepdim=True) / self.scale).softmax(dim=0)
        return {**sources, "visual": item + self.out((weights * self.value(tokens)).sum(dim=0))}
