"""Vision-language models in this process, through transformers: Qwen2.5-VL, and others of its task."""

from viral.enrich.qwen.config import QwenConfig
from viral.enrich.qwen.describer import QwenDescriber

__all__ = ["QwenConfig", "QwenDescriber"]
