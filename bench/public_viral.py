"""Starts the authors' VIRAL as it is and makes it wait before each step, so that others can be measured in turns.

Run by ``python -m bench.viral`` with another interpreter, in a folder that has their ``src`` and ``data``. After every
step of their optimiser the seconds since the last line read are printed, and the next line is awaited.
"""

import importlib
import importlib.util
import json
import runpy
import sys
import time
import types
from typing import Any

import torch


def stub_pictures() -> None:
    """Their data reader imports torchvision at the top, for raw pictures that this run does not have."""
    if importlib.util.find_spec("torchvision"):
        return
    names = ("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    top, transforms, functional = (types.ModuleType(name) for name in names)
    functional.pad = functional.resize = None  # type: ignore[attr-defined]
    transforms.functional, top.transforms = functional, transforms  # type: ignore[attr-defined]
    sys.modules |= dict(zip(names, (top, transforms, functional), strict=True))


def as_on_a_gpu() -> None:
    """There ``Parameter.to`` gives a plain tensor, which a module may replace; without it their first step fails."""
    plain = torch.nn.Module.__setattr__

    def assign(self: torch.nn.Module, name: str, value: Any) -> None:
        if isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter):
            self._parameters.pop(name, None)
        plain(self, name, value)

    torch.nn.Module.__setattr__ = assign  # type: ignore[method-assign,assignment]


def main() -> None:
    """Train until told to stop."""
    plain = torch.optim.Adam.step
    started = [time.perf_counter(), time.process_time()]

    def step(self: torch.optim.Adam, *arguments: Any, **options: Any) -> Any:
        result = plain(self, *arguments, **options)
        wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
        print("@" + json.dumps({"wall": wall, "cpu": cpu}), flush=True)
        if not sys.stdin.readline().strip():
            sys.exit(0)
        started[:] = [time.perf_counter(), time.process_time()]
        return result

    torch.optim.Adam.step = step  # type: ignore[method-assign]
    importlib.import_module("torch_geometric.nn")  # it asks what torchvision there is, so it comes before the stub
    stub_pictures()
    as_on_a_gpu()
    sys.path.insert(0, "src")
    sys.argv = ["src/main.py", "-d=baby"]
    runpy.run_path("src/main.py", run_name="__main__")


if __name__ == "__main__":
    main()
