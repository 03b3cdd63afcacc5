"""The sparse product compiled for this machine, where a compiler is there: the yardstick of the fastest known."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import torch
from torch import Tensor

from viral.graph import SparseMatrix

SOURCE = Path(__file__).with_suffix(".cpp")


def compiled(matrix: SparseMatrix, dense: Tensor) -> Callable[[], Tensor] | None:
    """``matrix @ dense`` by a C++ kernel into memory that is kept; None where there is no g++."""
    if shutil.which("g++") is None:
        return None
    library = Path(mkdtemp(prefix="viral-kernel-")) / "kernel.so"
    flags = ["-O3", "-march=native", "-ffast-math", "-fopenmp", "-shared", "-fPIC"]
    subprocess.run(["g++", *flags, str(SOURCE), "-o", str(library)], check=True)
    product = ctypes.CDLL(str(library)).product
    out = torch.empty(matrix.shape[0], dense.shape[1])
    tables = [ctypes.c_void_p(x.data_ptr()) for x in (matrix.offsets, matrix.columns, matrix.values, dense, out)]
    sizes = [ctypes.c_int64(size) for size in (matrix.shape[0], dense.shape[1])]

    def run() -> Tensor:
        product(*tables, *sizes)
        return out

    return run
