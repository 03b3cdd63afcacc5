"""A vision-language model of transformers, loaded: pictures and words in, answers out.

The only module that imports transformers' model and picture classes. Imported when a model is first used.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from PIL.Image import Image
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    LogitsProcessor,
    LogitsProcessorList,
    ProcessorMixin,
    Qwen2_5_VLProcessor,
)
from transformers.utils import is_accelerate_available, is_torchvision_available, logging

from viral.base.errors import UsageError, ViralError
from viral.enrich.protocol import Answer
from viral.enrich.qwen.config import QwenConfig

OutOfMemory = torch.OutOfMemoryError


class _PicturesOnly(Qwen2_5_VLProcessor):
    """Qwen's processor without its part for videos, which alone needs torchvision."""

    def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


class VisionModel:
    """A checkpoint in memory. Not for several threads at once: the model keeps the positions of the last batch.

    Raises ``ViralError`` where the checkpoint cannot be loaded, is no vision-language model or lacks tensors.
    """

    def __init__(self, config: QwenConfig) -> None:
        self._config = config
        with _faults(config), _quiet():
            source: dict[str, Any] = {"trust_remote_code": False}
            if config.commit is not None:
                source["revision"] = config.commit
            self._processor = _load_processor(config.model, source)
            self._model = _load_model(config, source)
        self._set_up_processor()
        self._ends = self._set_up_generation()
        self._wants_types = "mm_token_type_ids" in inspect.signature(self._model.forward).parameters

    def _set_up_processor(self) -> None:
        config, tokenizer = self._config, self._processor.tokenizer
        if not (self._processor.chat_template or tokenizer.chat_template):
            raise ViralError(
                "the model has no chat template", where=config.model, hint="use an instruction-tuned model"
            )
        tokenizer.padding_side = "left"  # what is generated must follow the prompt
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        images = self._processor.image_processor
        size = getattr(images, "size", None)
        most, least = getattr(size, "longest_edge", None), getattr(size, "shortest_edge", None)
        if hasattr(images, "merge_size") and most and least:  # edges by name, numbers of pixels in truth
            least = config.min_pixels or min(least, config.max_pixels)
            images.size = {"longest_edge": max(least, min(most, config.max_pixels)), "shortest_edge": least}
        elif config.min_pixels is not None:
            raise UsageError(
                "this model scales pictures by its own rule", where=config.model, hint="leave min_pixels out"
            )

    def _set_up_generation(self) -> frozenset[int]:
        """Greedy search with the checkpoint's own tokens that end an answer, which are returned."""
        settings = deepcopy(self._model.generation_config)
        if self._config.repetition_penalty is not None:
            settings.update(repetition_penalty=self._config.repetition_penalty)
        settings.update(do_sample=False, temperature=None, top_p=None, top_k=None, num_beams=1)
        settings.update(max_new_tokens=self._config.max_new_tokens, max_length=None, return_dict_in_generate=False)
        tokenizer = self._processor.tokenizer
        ends = settings.eos_token_id if settings.eos_token_id is not None else tokenizer.eos_token_id
        if settings.pad_token_id is None:
            settings.pad_token_id = tokenizer.pad_token_id
        self._model.generation_config = settings
        return frozenset([ends] if isinstance(ends, int) else ends or ())

    def inputs(self, images: Sequence[Image], texts: Sequence[str]) -> Any:
        """The model's tensors for a batch, padded on the left; ``pixel_values`` in the model's dtype."""
        conversations = [
            [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": text}]}]
            for image, text in zip(images, texts, strict=True)
        ]
        inputs = self._processor.apply_chat_template(
            conversations,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            sanitize_control_tokens=True,  # words of the prompt or the title are words, whatever they look like
            processor_kwargs={"padding": True},
        )
        if self._wants_types and "mm_token_type_ids" not in inputs:  # nothing would fail, all positions would be wrong
            raise ViralError(
                "the processor gives no mm_token_type_ids", hint="install the transformers of constraints.txt"
            )
        return inputs.to(self._model.device, self._model.dtype)

    @torch.inference_mode()
    def answer(self, images: Sequence[Image], texts: Sequence[str], seeds: Sequence[int]) -> list[Answer]:
        """What the model says of each picture; an empty text where it says nothing. Raises ``OutOfMemory``."""
        inputs = self.inputs(images, texts)
        asked = inputs["attention_mask"].sum(dim=1)  # (B,) tokens
        length = inputs["input_ids"].shape[1]
        temperature = self._config.temperature
        draw = LogitsProcessorList([_Sampler(temperature, seeds)] if temperature > 0 else [])
        said = self._model.generate(**inputs, logits_processor=draw)[:, length:].cpu()
        decoded = self._processor.tokenizer.batch_decode(said, skip_special_tokens=True)
        spoken = [_length(row, self._ends) for row in said.tolist()]
        return [
            Answer(text.strip(), tokens_in=tokens_in, tokens_out=tokens_out)
            for text, tokens_in, tokens_out in zip(decoded, asked.tolist(), spoken, strict=True)
        ]


class _Sampler(LogitsProcessor):
    """Sampling for a greedy search: argmax(logits / T + Gumbel noise) is a draw from softmax(logits / T).

    Each row has its own generator, so that a draw depends on the row's seed and not on its neighbours (Gumbel 1954;
    Maddison et al., NeurIPS 2014).
    """

    def __init__(self, temperature: float, seeds: Sequence[int]) -> None:
        self._temperature = temperature
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """(B, length), (B, vocabulary) -> (B, vocabulary)."""
        waits = torch.empty(scores.shape, dtype=torch.float64)
        for row, generator in zip(waits, self._generators, strict=True):
            row.exponential_(generator=generator)
        return scores.double() / self._temperature - waits.log().to(scores.device)


def _length(tokens: list[int], ends: frozenset[int]) -> int:
    """How many tokens were spoken, the one that ended the answer among them."""
    return next((number for number, token in enumerate(tokens, 1) if token in ends), len(tokens))


def _load_processor(model: str, source: dict[str, Any]) -> Any:
    if not is_torchvision_available():
        kind = AutoConfig.from_pretrained(model, **source).model_type
        if kind in ("qwen2_vl", "qwen2_5_vl"):
            return _PicturesOnly.from_pretrained(model, **source)
    return AutoProcessor.from_pretrained(model, **source)


def _load_model(config: QwenConfig, source: dict[str, Any]) -> Any:
    options: dict[str, Any] = {"dtype": getattr(torch, config.resolved_dtype()), "use_safetensors": True}
    if config.device_map is not None:
        if not is_accelerate_available():
            raise UsageError("device_map needs the package accelerate", hint="pip install accelerate")
        options["device_map"] = config.device_map
    loaded: Any = AutoModelForImageTextToText.from_pretrained(
        config.model, output_loading_info=True, **options, **source
    )
    model, found = loaded
    if found["missing_keys"]:  # transformers would go on with random numbers in their place
        missing = sorted(found["missing_keys"])
        raise ViralError(f"the weights lack {len(missing)} tensors, such as {missing[0]}", where=config.model)
    return (model if config.device_map is not None else model.to(config.resolved_device())).eval()


@contextmanager
def _faults(config: QwenConfig) -> Iterator[None]:
    """What goes wrong while loading, in a user's words. Loaders raise whatever they like."""
    try:
        yield
    except ViralError:
        raise
    except OutOfMemory:
        hint = "use a smaller model, dtype=bfloat16, or device_map=auto over several GPUs"
        raise ViralError("the model does not fit into the GPU's memory", where=config.model, hint=hint) from None
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        hint = "give a folder with a vision-language model that transformers knows, in the hub's layout"
        if isinstance(error, ImportError):
            hint = "install what is missing, or use a Qwen2.5-VL, which needs nothing more"
        elif not config.is_folder:
            hint = (
                "is there a network, and this commit? Where there is one: "
                f"`hf download {config.model} --revision {config.commit}`; or give a folder"
            )
        raise ViralError(f"the model cannot be loaded: {first}", where=config.model, hint=hint) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither the library's bars, which would run across ours, nor its advice."""
    level, had_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if had_bar:
            logging.enable_progress_bar()
