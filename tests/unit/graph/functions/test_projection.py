"""Linear maps of fixed features against ``nn.Linear``, which they must be but for the order of sums."""

import pytest
import torch
from torch import nn

from viral.data.interactions import Triplets
from viral.graph.functions import Projection, projection
from worlds import first_batch, random_world, small_model

ROWS, WIDTH, OUTPUTS = 23, 12, 5


@pytest.fixture(params=[1 << 20, 0], ids=["copied", "too large to copy"])
def narrow(monkeypatch, request):
    """Widths of ``WIDTH`` count as wide, and tables are worked off in parts that do not divide them."""
    monkeypatch.setattr(projection, "WIDE", WIDTH)
    monkeypatch.setattr(projection, "ROWS", 7)
    monkeypatch.setattr(projection, "COLUMNS", 5)
    monkeypatch.setattr(projection, "KEPT_BYTES", request.param)


def layers(*, bias: bool = True) -> tuple[Projection, nn.Linear]:
    """The two, in float64, from one seed."""
    made = []
    for kind in (Projection, nn.Linear):
        torch.manual_seed(3)
        made.append(kind(WIDTH, OUTPUTS, bias=bias).double())
    return made[0], made[1]


def table(seed: int, width: int = WIDTH) -> torch.Tensor:
    return torch.randn(ROWS, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def agree(ours: nn.Linear, plain: nn.Linear, x: torch.Tensor) -> None:
    """Values and gradients, of a loss in which every output counts otherwise."""
    outputs = [layer(x) for layer in (ours, plain)]
    torch.testing.assert_close(*outputs)
    weights = torch.linspace(-1, 1, outputs[0].numel(), dtype=torch.float64).view(outputs[0].shape)
    gradients = [torch.autograd.grad((y * weights).sum(), tuple(layer.parameters()))
                 for y, layer in zip(outputs, (ours, plain), strict=True)]  # fmt: skip
    torch.testing.assert_close(*gradients)
    assert all(gradient.is_contiguous() for gradient in gradients[0])


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_a_linear_layer_with_the_same_start_and_names(narrow, bias):
    ours, plain = layers(bias=bias)
    assert list(ours.state_dict()) == list(plain.state_dict())
    torch.testing.assert_close(ours.state_dict(), plain.state_dict(), rtol=0, atol=0)
    for _ in range(2):  # a second time with what is kept
        agree(ours, plain, table(0))


def test_it_is_checked_as_autograd_checks(narrow):
    ours, x = layers()[0], table(1)
    assert torch.autograd.gradcheck(
        lambda w, b: torch.func.functional_call(ours, {"weight": w, "bias": b}, (x,)), tuple(ours.parameters())
    )


def test_a_gradient_that_comes_in_another_order_of_memory(narrow):
    ours, plain = layers()
    x, gradient = table(2), table(3, OUTPUTS).T.contiguous().T
    assert not gradient.is_contiguous()
    for layer in (ours, plain):
        layer(x).backward(gradient)
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
    torch.testing.assert_close(ours.bias.grad, plain.bias.grad)


def test_another_table_and_a_changed_one_are_copied_anew(narrow):
    ours, plain = layers()
    x = table(4)
    agree(ours, plain, x)
    agree(ours, plain, table(5))
    agree(ours, plain, x)
    x[3] *= 2
    agree(ours, plain, x)


def test_only_one_copy_is_made_and_none_without_gradients(monkeypatch, narrow):
    ours, x = layers()[0], table(6)
    with torch.no_grad():
        ours(x)
    assert ours._copied is None, "ranking made a copy"
    for _ in range(2):
        ours(x).sum().backward()
    kept = ours._copied
    ours(x).sum().backward()
    assert ours._copied is kept, "a second copy of the same table"
    assert (kept is None) == (projection.KEPT_BYTES == 0)


def test_weights_that_are_not_trained_get_no_gradient(narrow):
    ours, _ = layers()
    ours.weight.requires_grad_(False)
    ours(table(7)).sum().backward()
    assert ours.weight.grad is None
    torch.testing.assert_close(ours.bias.grad, torch.full((OUTPUTS,), float(ROWS), dtype=torch.float64))


@pytest.mark.parametrize("width", [WIDTH, WIDTH - 1])
def test_learnt_or_narrow_features_take_the_plain_form(narrow, width):
    """Learnt ones have gradients of their own, and those a second derivative."""
    layer = Projection(width, OUTPUTS).double()
    x = table(8, width).requires_grad_(width == WIDTH)
    y = layer(x)
    assert type(y.grad_fn).__name__ == "AddmmBackward0"
    y.sum().backward()
    if width == WIDTH:
        torch.testing.assert_close(x.grad, layer.weight.sum(dim=0).expand(ROWS, -1))


MODELS = [("dragon", 2, 0), ("mgcn", 2, 0), ("lgmrec", 2, 2), ("grcn", 2, 0), ("viral", 5, 2), ("viral-light", 3, 0)]


@pytest.mark.parametrize(("name", "count", "learnt"), MODELS)
def test_models_map_their_features_with_it(name, count, learnt, narrow, monkeypatch):
    """A model whose features are fixed and wide trains on the quick form, to the same loss and gradients.

    VIRAL's synergy and taste are learnt, and take the plain one; LGMRec has its features travel the graph once, and
    projects the batch's rows alone.
    """
    world = random_world(12, 10, 0.4, 0, width=WIDTH)
    model = small_model(name, world)
    ours = loss_and_gradients(model, first_batch(world))
    used = [part for part in model.modules() if isinstance(part, Projection)]
    assert len(used) == count
    copies = [part._copied for part in used]
    assert sum(copy is not None for copy in copies) == (count - learnt if projection.KEPT_BYTES else 0)
    monkeypatch.setattr(projection, "WIDE", WIDTH + 1)
    plain = loss_and_gradients(small_model(name, world), first_batch(world))
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(projection, "WIDE", WIDTH)
    loss_and_gradients(model, first_batch(world))
    assert all(part._copied is copy for part, copy in zip(used, copies, strict=True)), "the next step copies again"


def loss_and_gradients(model: nn.Module, batch: Triplets) -> list[torch.Tensor]:
    """The loss of a batch, then its gradients in the parameters' order."""
    torch.manual_seed(0)
    loss = torch.stack(list(model.train().loss(batch).values())).sum()
    loss.backward()
    return [loss.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]
