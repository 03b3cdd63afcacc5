"""The parts beyond the published two-source ones: real attention, interaction, three sources, mixtures, knowledge."""

import pytest
import torch
from torch import Tensor, nn

from exclusive_or import told
from viral.models.viral.fusion.mixing import AttentionSum, KnowledgeFusion, WeightedSum
from viral.models.viral.fusion.redundancy import MaskedRedundancy
from viral.models.viral.fusion.synergy import Interaction, OverPairs, Synergy, over_pairs, span
from viral.models.viral.fusion.tokens import NeighborEncoder, TokenEncoder


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def torch_layer(encoder: TokenEncoder, attention: nn.MultiheadAttention, query: Tensor, keys: Tensor) -> Tensor:
    """The same layer with torch's attention; queries (I, d), keys (I, k, d), both before the √d."""
    dim = query.shape[1]
    x, tokens = query * dim**0.5, encoder.norm_attention(keys * dim**0.5)
    attended, _ = attention(encoder.norm_attention(x)[:, None], tokens, tokens)
    y = x + attended[:, 0]
    return encoder.norm_out(y + encoder.contract(encoder.expand(encoder.norm_feedforward(y)).relu()))


def give_weights(encoder: TokenEncoder, attention: nn.MultiheadAttention) -> None:
    dim = encoder.value.weight.shape[0]
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(draw(*parameter.shape, seed=parameter.numel()) * 0.1)
        attention.in_proj_weight[2 * dim :] = encoder.value.weight
        attention.in_proj_bias.copy_(draw(3 * dim, seed=8))
        attention.in_proj_bias[2 * dim :] = encoder.value.bias
        attention.out_proj.weight.copy_(encoder.out.weight)
        attention.out_proj.bias.copy_(encoder.out.bias)


def test_attention_over_one_token_is_the_affine_map_gradients_too():
    encoder, attention = TokenEncoder(6).double(), nn.MultiheadAttention(6, 1, batch_first=True).double()
    give_weights(encoder, attention)
    query, key, weights = draw(9, 6), draw(9, 6, seed=1), draw(9, 6, seed=2)
    ours, theirs = encoder(query, key), torch_layer(encoder, attention, query, key[:, None])
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    (ours * weights).sum().backward()
    value, out = encoder.value.weight.grad.clone(), encoder.out.weight.grad.clone()
    encoder.zero_grad()
    (torch_layer(encoder, attention, query, key[:, None]) * weights).sum().backward()
    torch.testing.assert_close(attention.in_proj_weight.grad[12:], value, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(attention.out_proj.weight.grad, out, rtol=1e-10, atol=1e-12)
    assert attention.in_proj_weight.grad[:12].abs().max() < 1e-12 < value.abs().max(), "queries and keys learn nothing"


def test_attention_over_neighbours_is_torchs_attention():
    neighbors = torch.stack([torch.randperm(9, generator=torch.Generator().manual_seed(n))[:4] for n in range(9)])
    encoder = NeighborEncoder(6, neighbors=neighbors).double()
    attention = nn.MultiheadAttention(6, 1, batch_first=True).double()
    give_weights(encoder, attention)
    with torch.no_grad():
        attention.in_proj_weight[:6], attention.in_proj_bias[:6] = encoder.query.weight, encoder.query.bias
        attention.in_proj_weight[6:12] = encoder.key.weight  # its bias stays: it must not matter
    query, key = draw(9, 6), draw(9, 6, seed=1)
    expected = torch_layer(encoder, attention, query, key[neighbors])
    torch.testing.assert_close(encoder(query, key), expected, rtol=1e-10, atol=1e-12)


def test_redundancy_of_three_joins_the_concatenation_with_the_masks():
    part = MaskedRedundancy(4, 3).double()
    sources, mask = [draw(7, 4, seed=n) for n in range(3)], part.mask.detach()

    def encoded(shown: set[int]) -> Tensor:
        columns = [x if m in shown else mask[m].expand(7, 4) for m, x in enumerate(sources)]
        x = part.join(torch.cat(columns, dim=1))
        return part.encoder(x, x)

    h, *alone = encoded({0, 1, 2}), encoded({0}), encoded({1}), encoded({2})
    made = part(*sources)
    torch.testing.assert_close(made.value, (h + sum(alone)) / 4)
    expected = [(one, made.value) for one in alone] + [(alone[b], alone[a]) for a, b in ((0, 1), (0, 2), (1, 2))]
    for pair, (left, right) in zip(made.pairs, expected, strict=True):
        torch.testing.assert_close(pair[0], left)
        torch.testing.assert_close(pair[1], right)


def test_synergy_of_three_is_the_mean_over_pairs():
    sources = [draw(7, 4, seed=n).float() for n in range(3)]
    part = over_pairs(3, lambda a, b: Synergy(4))
    assert isinstance(part, OverPairs) and isinstance(over_pairs(2, lambda a, b: Synergy(4)), Synergy)
    made = part(*sources)
    each = [one(sources[a], sources[b]) for one, (a, b) in zip(part.parts, ((0, 1), (0, 2), (1, 2)), strict=True)]
    torch.testing.assert_close(made.value, sum(one.value for one in each) / 3)
    assert len(made.pairs) == 3


def test_the_span_is_orthonormal_and_holds_the_constant_and_both_sources():
    text, visual = draw(90, 4) + 3, draw(90, 3, seed=1)
    visual = torch.cat([visual, text[:, :1]], dim=1)  # told twice
    basis = span(text, visual)
    assert basis.shape == (90, 1 + 4 + 3)
    torch.testing.assert_close(basis.T @ basis, torch.eye(8, dtype=torch.float64))
    for values in (torch.ones(90, 1, dtype=torch.float64), text, visual):
        torch.testing.assert_close(basis @ (basis.T @ values), values)


def test_a_small_catalogue_is_not_explained_by_chance():
    assert span(draw(40, 30), draw(40, 30, seed=1)).shape == (40, 1 + 4 + 4)


def test_an_interaction_is_uncorrelated_with_both_sources():
    text, visual = draw(90, 4) + 3, draw(90, 3, seed=1)
    made = Interaction(text, visual, 5).double()(text, visual)
    assert made.pairs == ()
    for values in (text, visual):
        assert (made.value.T @ (values - values.mean(0))).abs().max() < 1e-8
    torch.testing.assert_close(made.value.square().mean(0), torch.ones(5, dtype=torch.float64), rtol=1e-4, atol=0)


def test_a_source_that_is_always_the_same_stays_finite():
    text, visual = draw(40, 4).float(), torch.ones(40, 3)
    assert Interaction(text, visual, 5)(text, visual).value.isfinite().all()


def test_mixtures():
    sources = draw(3, 8, 4)
    weighted, attention = WeightedSum(3).double(), AttentionSum(4).double()
    torch.testing.assert_close(weighted(list(sources))[0], sources.mean(dim=0))
    with torch.no_grad():
        weighted.logits.copy_(torch.tensor([0.0, 2.0, -1.0]).log_softmax(0))
    shares = torch.tensor([0.0, 2.0, -1.0], dtype=torch.float64).softmax(0)
    torch.testing.assert_close(
        weighted(list(sources))[0], sum(a * x for a, x in zip(shares, sources, strict=True)), atol=1e-6, rtol=0
    )
    logits = torch.stack([torch.tanh(x @ attention.key.weight.T) @ attention.query.weight[0] for x in sources])
    expected = (logits.softmax(0)[:, :, None] * sources).sum(0)
    torch.testing.assert_close(attention(list(sources))[0], expected)
    assert logits.softmax(0).std(dim=1).max() > 0.01, "items differ in their weights"


def test_knowledge_fusion_is_attention_over_the_item_and_its_prompt():
    item, prompt = draw(9, 6), draw(9, 5, seed=1)
    part, attention = KnowledgeFusion(6, prompt).double(), nn.MultiheadAttention(6, 1, batch_first=True).double()
    with torch.no_grad():
        for parameter in part.parameters():
            parameter.add_(draw(*parameter.shape, seed=parameter.numel()) * 0.3)
        attention.in_proj_weight.copy_(torch.cat([part.query.weight, part.key.weight, part.value.weight]))
        attention.in_proj_bias.copy_(torch.cat([part.query.bias, draw(6, seed=3), part.value.bias]))
        attention.out_proj.weight.copy_(part.out.weight)
        attention.out_proj.bias.copy_(part.out.bias)
    tokens = torch.stack([item, part.enter(prompt)], dim=1)
    attended, _ = attention(item[:, None], tokens, tokens)
    made = part({"text": prompt, "visual": item})
    torch.testing.assert_close(made, {"text": prompt, "visual": item + attended[:, 0]})


@pytest.mark.parametrize("seed", [0, 1])
def test_untrained_interaction_tells_the_exclusive_or_and_neither_bit(seed):
    """The table of ``tests/exclusive_or.py`` is in docs/models/viral.md; this is what must stay true of it."""
    aligned, interaction = next(told("aligned", 0, seed)), next(told("interaction", 0, seed))
    assert interaction["a xor b"] > max(0.5, aligned["a xor b"] + 0.1)
    assert max(interaction["a"], interaction["b"]) < 0.05
    assert min(aligned["a"], aligned["b"]) > 0.7


def test_choices_teach_both_the_exclusive_or_and_only_the_aligned_part_tells_the_bits():
    aligned, interaction = list(told("aligned", 4, 1))[-1], list(told("interaction", 4, 1))[-1]
    assert min(interaction["a xor b"], aligned["a xor b"]) > 0.7
    assert max(interaction["a"], interaction["b"]) < 0.05
    assert min(aligned["a"], aligned["b"]) > 0.9


@pytest.mark.slow
def test_strong_alignment_unlearns_the_exclusive_or_and_not_the_bits():
    after = list(told("aligned", 20, 2, agreement=0.8, weight=0.1))
    assert after[20]["a xor b"] + 0.2 < after[5]["a xor b"]
    assert after[20]["a"] + 0.2 > after[5]["a"]
    interaction = list(told("interaction", 20, 2, agreement=0.8, weight=0.1))
    assert interaction[20]["a xor b"] > interaction[5]["a xor b"] - 0.05
