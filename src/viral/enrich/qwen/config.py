"""What the describer is told: which model, where it runs, how it speaks."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from viral.base.errors import UsageError
from viral.base.recipe import check_least

MAX_PIXELS = 1280 * 28 * 28  # 1,280 tokens a picture
PINNED = {
    "Qwen/Qwen2.5-VL-7B-Instruct": "cc594898137f460bfe9f0759e9844b3ce807cfb5",
    "Qwen/Qwen2.5-VL-3B-Instruct": "66285546d2b821cf421d4f5eb2576359d3770cd3",
}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class QwenConfig:
    """A model by folder or hub id. Greedy unless ``temperature`` is above 0, which samples by ``seed`` and picture.

    Raises ``UsageError`` where a value cannot be, among others for a hub id without a commit: a branch may move, and
    with it what is said of a picture.
    """

    model: str = "Qwen/Qwen2.5-VL-7B-Instruct"
    revision: str | None = None  # a hub id's commit, 40 hex digits; those in PINNED have one
    device: str = "auto"  # the first GPU where there is one, else the processor; or torch's name of one
    device_map: Literal["auto", "balanced", "sequential"] | None = None  # over several GPUs; needs accelerate
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"  # bfloat16 on GPUs, float32 elsewhere
    batch_size: int = 8
    max_new_tokens: int = 128
    temperature: float = 0.0
    seed: int = 0
    repetition_penalty: float | None = None  # of tokens that are there already; None: the checkpoint's own
    min_pixels: int | None = None  # smaller pictures are scaled up; None: the checkpoint's own
    max_pixels: int = MAX_PIXELS  # larger pictures are scaled down; never above the checkpoint's own

    def __post_init__(self) -> None:
        check_least(self, batch_size=1, max_new_tokens=1, temperature=0, seed=0, min_pixels=28 * 28, max_pixels=28 * 28)
        if self.repetition_penalty is not None and not 0 < self.repetition_penalty < float("inf"):
            raise UsageError(f"repetition_penalty = {self.repetition_penalty} is not above 0", where="QwenConfig")
        if self.min_pixels is not None and self.min_pixels > self.max_pixels:
            raise UsageError(f"min_pixels = {self.min_pixels} is above max_pixels", where="QwenConfig")
        if self.device_map is not None and self.device != "auto":
            raise UsageError("device and device_map are both set", where="QwenConfig", hint="leave one out")
        if not self.is_folder:
            self._check_hub_id()
        elif self.revision is not None:
            raise UsageError("a folder has no revision", where=self.model, hint="leave revision out")

    def _check_hub_id(self) -> None:
        if not _HUB_ID.fullmatch(self.model):
            hint = "give the folder of a checkpoint, or a hub id such as Qwen/Qwen2.5-VL-7B-Instruct"
            raise UsageError("no such folder", where=self.model, hint=hint)
        commit = self.commit
        if commit is None or not _COMMIT.fullmatch(commit):
            what = "no such folder, and as a hub id it needs a commit" if commit is None else f"{commit!r} is no commit"
            hint = "set revision to the 40 hex digits that the hub's page shows under “Files”, “History”"
            raise UsageError(what, where=self.model, hint=hint)

    @property
    def is_folder(self) -> bool:
        return Path(self.model).is_dir()

    @property
    def commit(self) -> str | None:
        """The hub's commit, given or pinned; None for a folder."""
        return None if self.is_folder else self.revision or PINNED.get(self.model)

    def resolved_device(self) -> str:
        """``device`` with "auto" resolved for this machine; ``UsageError`` where torch has no such device."""
        import torch

        gpu = torch.cuda.is_available()
        if self.device == "auto":
            return "cuda" if gpu else "cpu"
        try:
            kind = torch.device(self.device).type
        except RuntimeError:
            raise UsageError(f"unknown device {self.device!r}", hint="auto, cpu, cuda, cuda:1, mps …") from None
        if kind == "cuda" and not gpu:
            raise UsageError("no GPU that this torch can use", hint="device=cpu, or install a CUDA build of torch")
        return self.device

    def resolved_dtype(self) -> str:
        """``dtype`` with "auto" resolved for this machine."""
        if self.dtype != "auto":
            return self.dtype
        return "float32" if self.resolved_device() == "cpu" else "bfloat16"
