"""Vision-language models with random weights, above all a Qwen2.5-VL: small, and through the code of the real one.

``python tests/tiny_qwen.py FOLDER`` writes it in the hub's layout. What it says is gibberish, decided by its seed.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
VOCABULARY = 400
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAVA_TEMPLATE = (
    "{% for message in messages %}USER: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)
WORDS = (
    "the item is a plain striped dotted checked red green blue white black purple cup lamp shoe bag clock bucket with "
    "and on of in it text label reads picture shows title describe product essential features sentences user assistant"
)


def make(folder: Path, *, seed: int = 0, repetition_penalty: float = 1.05, only_end: bool = False) -> Path:
    """Write the checkpoint to ``folder``; another ``seed``, other weights of the same shapes.

    ``only_end`` makes one that ends every answer at once.
    """
    from transformers import Qwen2VLImageProcessorPil

    folder.mkdir(parents=True, exist_ok=True)
    with _quiet():
        tokenizer = _tokenizer()
        tokenizer.save_pretrained(folder)
        images = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112)
        images.save_pretrained(folder)
        ids = {word: tokenizer.convert_tokens_to_ids(word) for word in SPECIAL}
        model = _model(seed, len(tokenizer), ids)
        ends = [ids["<|im_end|>"], ids["<|endoftext|>"]]
        generation = {"eos_token_id": ends, "pad_token_id": ends[1], "do_sample": True, "temperature": 1e-6}
        if only_end:
            generation["suppress_tokens"] = [token for token in range(len(tokenizer)) if token != ends[0]]
        model.generation_config.update(**generation, repetition_penalty=repetition_penalty)
        model.save_pretrained(folder)
    # As on the hub, where the processor's class is named in the file of the image processor.
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"processor_class": "Qwen2_5_VLProcessor"}, indent=2))
    return folder


def _tokenizer():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL), initial_alphabet=sorted(alphabet), show_progress=False
    )
    inner.train_from_iterator([WORDS] * 4, trainer)
    inner.add_special_tokens(list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        additional_special_tokens=list(SPECIAL[1:]),
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def _model(seed: int, vocabulary: int, ids: dict[str, int]):
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
    text = {
        "vocab_size": vocabulary, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 4096, "rope_parameters": rope,
        "bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"], "pad_token_id": ids["<|endoftext|>"],
        "initializer_range": 0.2,
    }  # fmt: skip
    vision = {
        "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64,
        "fullatt_block_indexes": [1], "window_size": 56, "patch_size": 14, "spatial_merge_size": 2,
        "initializer_range": 0.2,
    }  # fmt: skip
    tokens = {
        f"{name}_token_id": ids[f"<|{word}|>"]
        for name, word in {
            "image": "image_pad", "video": "video_pad", "vision_start": "vision_start", "vision_end": "vision_end",
        }.items()
    }  # fmt: skip
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **tokens)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Qwen2_5_VLForConditionalGeneration(config).eval()


def make_llava(folder: Path) -> Path:
    """Write another architecture, LLaVA, whose pictures have one size and whose processor needs no videos."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )  # fmt: skip

    tokenizer = _tokenizer()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.chat_template = LLAVA_TEMPLATE
    small = {"intermediate_size": 64, "num_hidden_layers": 2, "initializer_range": 0.2}
    vision = CLIPVisionConfig(hidden_size=32, num_attention_heads=2, image_size=56, patch_size=14, **small)
    text = LlamaConfig(vocab_size=len(tokenizer), hidden_size=64, num_attention_heads=4, **small)
    image = tokenizer.convert_tokens_to_ids("<image>")
    with _quiet(), torch.random.fork_rng():
        torch.manual_seed(0)
        model = LlavaForConditionalGeneration(
            LlavaConfig(vision_config=vision, text_config=text, image_token_index=image)
        )
        model.generation_config.update(eos_token_id=tokenizer.eos_token_id)
        model.save_pretrained(folder)
        images = CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
        LlavaProcessor(
            images, tokenizer, patch_size=14, vision_feature_select_strategy="default",
            chat_template=tokenizer.chat_template, num_additional_image_tokens=1,
        ).save_pretrained(folder)  # fmt: skip
    return folder


@contextmanager
def _quiet() -> Iterator[None]:
    """No bar and no advice on standard error while it is written."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.stdout.write(f"{make(given.folder, seed=given.seed)}\n")
