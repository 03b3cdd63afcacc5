"""What becomes of an answer, whoever gave it: wrapping and reasoning go, and what is no description is refused."""

import pytest

from viral.enrich.answers import (
    CAUSES,
    LANGUAGE,
    NO_ANSWER,
    NO_JSON,
    NO_WORDS,
    PLEA,
    REASONS,
    REFUSAL,
    REPETITION,
    judge,
)
from viral.enrich.prompts import load_prompt
from viral.enrich.protocol import Prompt

ENGLISH, CHINESE, JSON = load_prompt("title"), load_prompt("title-zh"), load_prompt("attributes")
GOOD = "A red ceramic mug with a white handle and a glossy glazed surface."
GOOD_ZH = "这是一个红色的陶瓷马克杯，把手为白色。"


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>hm</think>{GOOD}",
        f"Let me look.\n</think>\n\n{GOOD}",
        f"\ufeff<think>\nhm\n</think>\n{GOOD}",
        f"<THINK>hm</THINK>{GOOD}",
        f"<thinking>one</thinking>\n<thinking>two</thinking>{GOOD}",
        f'<think type="slow">hm</think >{GOOD}',
        f"<reasoning>hm</reasoning><answer>{GOOD}</answer>",
        f"<seed:think>hm</seed:think>{GOOD}",
        f"[THINK]hm[/THINK]{GOOD}",
        f"◁think▷hm◁/think▷{GOOD}",
        f"<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>{GOOD}<|END_RESPONSE|>",
        f"<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>{GOOD}<|end_of_solution|>",
        f"<unused94>thought\nhm<unused95>{GOOD}",
        f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{GOOD}<|return|>",
        f"Here is my thought process: hm. Here is my response: {GOOD}",
        f"{GOOD}\n<think>Shall I say more?",
        f"{GOOD}<|im_end|>\n<|endoftext|>",
        f"{GOOD}</s>",
        f"<s>{GOOD}</s>",
        f"[/INST] {GOOD}",
        f"<start_of_turn>model\n{GOOD}<end_of_turn>",
        f"<|im_start|>assistant\n{GOOD}<|im_end|>",
        f"<|begin_of_box|>{GOOD}<|end_of_box|>",
        f"```\n{GOOD}\n```",
        f"```markdown\n{GOOD}```",
        f"~~~\n{GOOD}\n~~~",
        f"<think>hm</think>\n```text\nassistant\n{GOOD}<|im_end|>\n```",
        f"assistant\n{GOOD}",
        f"ASSISTANT: {GOOD}",
        f"**Description:** {GOOD}",
        f"Final answer: {GOOD}",
        f'"{GOOD}"',
        f'{{"description": "{GOOD}"}}',
        f'```json\n["{GOOD}"]\n```',
        f"\u200b{GOOD}\u200b\ufeff",
    ],
)
def test_the_description_is_kept_without_what_is_around_it(answer: str) -> None:
    assert judge(answer, ENGLISH) == ("done", GOOD, "", "")


@pytest.mark.parametrize(
    "said",
    [
        GOOD,
        "A plain white mug with no image on it.",
        "There is no picture on the front of the shirt, only the words “please upload the image”.",
        "A wooden photo frame that comes without a picture.",
        "An instant camera in blue; you can share your photos by phone.",
        "The lid cannot be seen in the image, the cup is red.",
        "Ein roter Becher aus Keramik mit weißem Henkel und glatter Glasur.",
        "A box whose print reads “SALE SALE SALE SALE SALE SALE SALE SALE” in white.",
        "A card printed with “新年快乐万事如意恭喜发财大吉大利”, red and gold.",
        "The model number <X-200> stands on the lid of a black bin.",
        "Assistant nurse costume in white with a red cross.",
        "A T-shirt with ```code``` on it, grey.",
    ],
)
def test_descriptions_stay_as_they_are(said: str) -> None:
    assert judge(said, ENGLISH) == ("done", said, "", "")


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ("<think>\nLet me look at the picture and", "failed", NO_ANSWER),
        ("<think>hm</think>\n", "failed", NO_ANSWER),
        ("<think>hm</think><|im_end|>", "failed", NO_ANSWER),
        ("<|channel|>analysis<|message|>The user wants two sentences", "failed", NO_ANSWER),
        ("", "failed", NO_WORDS),
        ("!" * 300, "failed", NO_WORDS),
        ("! " * 300, "failed", NO_WORDS),
        ("\u200b\ufeff\u2060", "failed", NO_WORDS),
        ("...", "failed", NO_WORDS),
        ("None", "failed", NO_WORDS),
        ("n/a.", "failed", NO_WORDS),
        ("[image]", "failed", NO_WORDS),
        ("null null", "failed", NO_WORDS),
        ("\ufffd\ufffd\ufffd", "failed", NO_WORDS),
        ("1234 5678", "failed", NO_WORDS),
        ("<|im_end|><|endoftext|>", "failed", NO_WORDS),
        ("```\n```", "failed", NO_WORDS),
        ("aaaaaaaaaa" * 30, "failed", NO_WORDS),
        ("的" * 300, "failed", REPETITION),
        ("It is a mug: " + "red " * 8, "failed", REPETITION),
        (GOOD_ZH, "failed", LANGUAGE),
        ("I'm sorry, but I can't help with that.", "refused", REFUSAL),
        ("<think>hm</think>I'm sorry, I can't.", "refused", REFUSAL),
        ("It seems that no image was provided. Could you please upload the image?", "refused", PLEA),
        ("Please provide the image you would like me to describe!", "refused", PLEA),
        ("I don't see any image attached to your message.", "refused", PLEA),
        ("I don’t have an image to look at.", "refused", PLEA),
        ("There is no image in your message, so here is a general description of a mug.", "refused", PLEA),
        ("Since I do not have access to the picture, I will describe a typical mug.", "refused", PLEA),
        ("It looks like you haven't uploaded an image yet.", "refused", PLEA),
        ("The image could not be loaded.", "refused", PLEA),
        ("Image not found.", "refused", PLEA),
        ("Please upload the image.", "refused", PLEA),
        ("Could you upload a clear photo?", "refused", PLEA),
        ("You have not uploaded any picture.", "refused", PLEA),
        ("No photo has been attached.", "refused", PLEA),
        ("The picture didn't come through; can you send it again?", "refused", PLEA),
        ("Based solely on the title, this is a red mug.", "refused", PLEA),
        ("To describe it I would need to see the image.", "refused", PLEA),
    ],
)
def test_what_is_no_description_is_refused(answer: str, status: str, reason: str) -> None:
    verdict = judge(answer, ENGLISH)
    assert (verdict.status, verdict.text, verdict.reason) == (status, "", reason)


@pytest.mark.parametrize(
    "answer",
    [
        "请提供图片，以便我进行描述。",
        "您还没有上传图片。",
        "我没有看到任何图片。",
        "图片无法加载，请重试。",
        "由于看不到图片，下面是一般的描述。",
    ],
)
def test_pleas_in_chinese(answer: str) -> None:
    assert judge(answer, CHINESE).reason == PLEA


def test_chinese_descriptions_pass_and_english_ones_do_not() -> None:
    assert judge(GOOD_ZH, CHINESE).text == GOOD_ZH
    assert judge("杯子上没有图片，只有文字。", CHINESE).status == "done"
    assert judge(GOOD, CHINESE).reason == LANGUAGE
    assert judge(GOOD_ZH, Prompt("own", "", "", language="")).status == "done"


def test_json_is_asked_for_and_checked_as_text_is() -> None:
    assert judge('<think>{"a": 1}</think>```json\n{"category": "mug"}\n```', JSON).text.startswith('{"category": "mug"')
    assert judge("A red mug.", JSON).reason == NO_JSON
    assert judge('{"category": {}}', JSON).reason == NO_JSON
    assert judge('{"category": "no image was provided"}', JSON).reason == PLEA
    assert judge('{"category": "none"}', JSON).status == "done"


def test_every_reason_names_a_likely_cause() -> None:
    assert set(CAUSES) == set(REASONS)


def test_the_error_quotes_the_answer() -> None:
    assert judge("Image not found.", ENGLISH).error == f"{PLEA}: Image not found."
