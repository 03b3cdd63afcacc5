"""What is seen of a text by itself: refusals, language, length, loops, copied titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viral.data.descriptions import FLAGS
from viral.enrich.checks import flags, in_other_language, loops, refuses, units
from viral.enrich.prompts import load_prompt

ENGLISH, CHINESE = load_prompt("title"), load_prompt("title-zh")
GOOD = (
    "A tall ceramic mug in deep red with white stripes. It has a wide handle and the word “SUN” printed on its front."
)
GOOD_ZH = "这是一个高大的陶瓷马克杯，深红色配白色条纹。把手宽大，正面印有“SUN”字样。"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m very sorry, I cannot describe people.",
        "  Sorry, there is nothing to see.",
        "Unfortunately, I am unable to view images.",
        "I can't describe this picture.",
        "I cannot assist.",
        "I'm not able to see the picture.",
        "I apologize, this is against my rules.",
        "My apologies, no.",
        "As an AI language model, I do not see.",
        "We are not allowed to do this.",
        "Unable to process the image.",
        "抱歉，我无法描述这张图片。",
        "非常抱歉，图片无法显示。",
        "对不起，我不能提供帮助。",
        "我无法识别图片中的内容。",
        "作为一个人工智能，我看不到图片。",
        "无法查看图片。",
    ],
)
def test_refusals(text):
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD_ZH,
        "Sorry! is a board game in a red box.",
        "A T-shirt that reads “I can't adult today”.",
        "“I'm sorry” is printed on the card.",
        "As an airy summer dress it is cut wide.",
        "Icannot brand bottle in blue.",
        "我们的杯子是红色的，带有白色条纹。",
        "一张写着“对不起”的贺卡。",
        "无法兰绒衬里的夹克，蓝色。",
        "",
    ],
)
def test_descriptions_are_no_refusals(text):
    assert not refuses(text)


@pytest.mark.parametrize(("prompt", "text"), [(ENGLISH, GOOD), (CHINESE, GOOD_ZH)])
def test_a_good_description_is_not_conspicuous(prompt, text):
    assert flags(text, prompt, "Red mug, 0.4 l") == ()


@pytest.mark.parametrize(
    ("prompt", "text", "title", "expected"),
    [
        (ENGLISH, "A red mug.", "", "too short"),
        (CHINESE, "红色杯子。", "", "too short"),
        (ENGLISH, " ".join(f"word{n}" for n in range(151)), "", "too long"),
        (CHINESE, "".join(chr(0x4E00 + n) for n in range(301)), "", "too long"),
        (ENGLISH, "This is the Acme Deluxe Travel Mug in red with stripes.", "Acme deluxe travel mug", "title copied"),
        (ENGLISH, "This is the New Acme Deluxe Travel thing in red.", "New Acme Deluxe Travel Mug 400", "title copied"),
        (CHINESE, "图中是不锈钢保温杯，颜色为红色，带有条纹。", "不锈钢保温杯", "title copied"),
    ],
)
def test_what_is_conspicuous(prompt, text, title, expected):
    assert flags(text, prompt, title) == (expected,)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("A mug in red with white stripes.", "Red mug"),  # too short a title to be copied
        ("A travel mug by the name of Acme, deluxe in look.", "Acme deluxe travel mug"),  # not in a row
    ],
)
def test_what_is_not_conspicuous(text, title):
    assert flags(text, ENGLISH, title) == ()


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("en", GOOD_ZH, True),
        ("zh", GOOD, True),
        ("en", "Это высокая красная керамическая кружка с белыми полосками.", True),
        ("zh", "Nike Air Zoom Pegasus 白色跑鞋，鞋底为黑色，侧面有标志。", False),
        ("en", GOOD, False),
        ("en", "红色 mug", False),  # too short to have a language
    ],
)
def test_the_language_is_that_of_most_words(language, text, other):
    assert in_other_language(units(text), language) is other


@pytest.mark.parametrize(
    ("text", "looped"),
    [
        ("It is a mug with a handle " + "and a very red stripe " * 4, True),
        ("It is a mug: " + "red " * 8, True),
        ("这是一个红色的杯子，" + "很好看，" * 4, True),
        ("The item is a mug, and the mug is red, and the handle is red, too.", False),
        ("Red, red and again red: a mug with stripes.", False),
    ],
)
def test_loops_are_phrases_four_times_in_a_row(text, looped):
    assert loops(units(text)) is looped


def test_attributes_may_be_short():
    assert flags("Category: mug.", load_prompt("attributes")) == ()


def test_units_are_words_and_chinese_characters():
    assert units("It's a T-shirt, 红色 mug; 2 x") == ["it's", "a", "t-shirt", "红", "色", "mug", "2", "x"]


@given(st.text(max_size=300), st.text(max_size=60), st.sampled_from([ENGLISH, CHINESE]))
def test_any_text_has_a_verdict(text, title, prompt):
    assert set(flags(text, prompt, title)) <= set(FLAGS)
    assert refuses(text) in (True, False)


def test_long_texts_are_checked_in_time():
    from time import process_time

    started = process_time()
    flags("a b c d e " * 10_000, ENGLISH, "some title of words")
    assert process_time() - started < 5
