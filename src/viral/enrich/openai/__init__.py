"""A describer that asks an OpenAI-compatible server: vLLM, SGLang, llama.cpp, or a cloud."""

from viral.enrich.openai.config import OpenAIConfig
from viral.enrich.openai.describer import OpenAIDescriber

__all__ = ["OpenAIConfig", "OpenAIDescriber"]
