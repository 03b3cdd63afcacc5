"""A device that a machine without a GPU can compute on, and that minds what a GPU minds.

Within ``elsewhere()`` the device ``meta`` computes: its tensors have their numbers on the processor and say that they
have not. As beside a GPU, what is made without saying where is made on the processor, both together are an error (but
for single numbers, copies, and indices from the processor), and ``numpy()`` is refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

aten = torch.ops.aten
COPIES = {aten._to_copy.default, aten.copy_.default}
INDEXED = {aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default}
PHYSICAL = {aten._conj.default: aten._conj_physical.default}  # a mark on a tensor is not seen below the dispatch


class There(Tensor):
    """A tensor of the device."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> "There":
        dense = inner.layout == torch.strided
        made = Tensor._make_wrapper_subclass(
            cls, inner.shape, strides=inner.stride() if dense else None, dtype=inner.dtype, device="meta"
        )
        made.inner = inner
        return made

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


class _Elsewhere(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run(func, args, kwargs or {})


@contextmanager
def elsewhere() -> Iterator[None]:
    """Let ``meta`` be the device."""
    with warnings.catch_warnings(), _Elsewhere():
        warnings.filterwarnings("ignore", message=".*copying from a non-meta parameter")  # which is no no-op here
        yield


def run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Compute on the processor what an operation is given, and say where the result lies."""
    given = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
    there = any(isinstance(one, There) for one in given)
    _check(func, args, given, there)
    device = kwargs.get("device")
    if device is not None:
        there = torch.device(device).type == "meta"
        kwargs = kwargs | {"device": "cpu"}
    result = PHYSICAL.get(func, func)(*tree_map(_inner, args), **tree_map(_inner, kwargs))
    written = _written(func, args, kwargs)
    if written is not None:
        return written
    return tree_map(lambda one: There(one) if there and isinstance(one, Tensor) else one, result)


def _check(func: Any, args: Any, given: list[Tensor], there: bool) -> None:
    if not there or func in COPIES:
        return
    if func in INDEXED and isinstance(args[0], There):
        given = [args[0], *args[2:3]]
    here = [one for one in given if not isinstance(one, There) and one.dim()]
    if here:
        raise RuntimeError(f"{func} of tensors on different devices: {[tuple(one.shape) for one in here]} not there")


def _inner(one: Any) -> Any:
    return one.inner if isinstance(one, There) else one


def _written(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """The argument that an operation writes to and returns, or None."""
    returns = func._schema.returns
    if len(returns) != 1 or returns[0].alias_info is None or not returns[0].alias_info.is_write:
        return None
    for place, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return args[place] if place < len(args) else kwargs[argument.name]
    return None
