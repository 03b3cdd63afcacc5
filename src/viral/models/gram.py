"""The item-item Gram matrix that the closed-form models share, behind a guard on its size."""

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from viral.data import Interactions
from viral.errors import DataError

MAX_BYTES = 4_000_000_000


def item_gram(train: Interactions) -> Tensor:
    """XᵀX of the binary user-item matrix: dense float32 (I, I), users who took both i and j.

    Raises ``DataError``, saying what it would need, where that is more than ``MAX_BYTES``.
    """
    needed = 4 * train.num_items**2
    if needed > MAX_BYTES:
        raise DataError(
            f"{train.num_items:,} items need a dense item-item matrix of {needed / 1e9:.0f} GB"
            f" (the limit is {MAX_BYTES / 1e9:.0f} GB)",
            hint="use a model without one, such as lightgcn or viral",
        )
    offsets, items = train.rows()
    ones = np.ones(len(items), dtype=np.float32)
    matrix = sp.csr_array((ones, items.numpy(), offsets.numpy()), shape=(train.num_users, train.num_items))
    return torch.from_numpy((matrix.T @ matrix).toarray(order="C"))
