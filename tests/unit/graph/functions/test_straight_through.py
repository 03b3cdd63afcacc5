"""Values in the place of others, against the same with a detached difference."""

import torch

from viral.graph.functions.straight_through import instead


def test_the_values_are_one_tables_and_the_gradient_goes_to_the_other():
    g = torch.Generator().manual_seed(0)
    values, of, weights = (torch.randn(5, 3, dtype=torch.float64, generator=g) for _ in range(3))
    found = []
    for plain in (True, False):
        x = of.clone().requires_grad_()
        y = x + (values - x).detach() if plain else instead(values, x)
        (weights * y.square()).sum().backward()
        found.append((y.detach(), x.grad))
    torch.testing.assert_close(found[0], found[1])
    assert torch.equal(found[1][0], values)
