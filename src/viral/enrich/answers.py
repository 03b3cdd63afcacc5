"""From what a describer answered to a description, or to the reason why there is none: one check for all describers.

In this order: what wraps the answer is taken off (control tokens, a code fence, the name of the role), reasoning is
left out, and what is no description is refused: no words, a refusal, a plea for the picture, repetition, another
language than was asked for. ``docs/enrichment.md`` lists the rules.
"""

import json
import re
import unicodedata
from typing import NamedTuple

from viral.data.catalog import Item
from viral.data.descriptions import Description, Status
from viral.enrich.attributes import as_text, canonical
from viral.enrich.checks import asks_for_picture, flags, in_other_language, loops, refuses, units
from viral.enrich.ledger_rows import Entry
from viral.enrich.protocol import Prompt

NO_ANSWER = "reasoning without an answer"
NO_WORDS = "no words"
PLEA = "it asks for the picture"
REFUSAL = "it declines"
REPETITION = "it repeats itself"
LANGUAGE = "another language than was asked for"
NO_JSON = "not what was asked for"
REASONS = (NO_ANSWER, NO_WORDS, PLEA, REFUSAL, REPETITION, LANGUAGE, NO_JSON)
CAUSES = {
    NO_ANSWER: "raise the limit of tokens, or switch the model's reasoning off",
    NO_WORDS: "the model's numbers may overflow (half precision), or its chat template is missing",
    PLEA: "the model gets no pictures: serve one that sees, with its picture processor",
    REFUSAL: "look at the answers: another prompt or model may do",
    REPETITION: "set a repetition penalty or a temperature",
    LANGUAGE: "choose a prompt in the model's language, or a model that knows the prompt's",
    NO_JSON: "choose another prompt than attributes, or a model that writes JSON",
}

# Where reasoning begins and ends: Qwen3, DeepSeek, GLM, Seed; Magistral; Kimi; Cohere, OpenThinker; Gemma; Granite.
_TAGS = (
    (r"<(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|seed:think)(?:\s[^<>]*)?>",
     r"</(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|seed:think)\s*>"),
    (r"\[THINK\]", r"\[/THINK\]"),
    (r"◁think▷", r"◁/think▷"),
    (r"<\|(?:START_THINKING|begin_of_thought|think_start)\|>", r"<\|(?:END_THINKING|end_of_thought|think_end)\|>"),
    (r"<unused94>", r"<unused95>"),
    (r"\AHere(?: is|['’]s) my thought process:", r"Here(?: is|['’]s) my response:"),
)  # fmt: skip
_REASONING = tuple((re.compile(start, re.IGNORECASE), re.compile(end, re.IGNORECASE)) for start, end in _TAGS)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>", re.IGNORECASE)  # of gpt-oss ("harmony")
_TOKEN = re.compile(
    r"<\|[\w:/ -]{1,40}\|>|</?s>|<(?:eos|bos|pad|unk|end_of_turn|start_of_turn|end_of_utterance|image|image_pad)>"
    r"|<unused\d+>|\[/?INST\]|</?(?:answer|final_answer)>",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\A(`{3,}|~{3,})[\w+-]*[ \t]*\n?(.*?)\n?\s*\1\s*\Z", re.DOTALL)
_ROLE = re.compile(
    r"\A(?:(?:assistant|model|ai|bot|助手)[ \t]*(?:[:：]|\n)"
    r"|\**(?:final answer|answer|description|product description|response|output|描述|答案|回答)\**[ \t]*[:：]\**)\s*",
    re.IGNORECASE,
)
_KEYS = frozenset({"description", "caption", "text", "answer", "content", "response", "output", "描述"})
_QUOTED = re.compile(r"“[^”]*”|\"[^\"\n]*\"|「[^」]*」|『[^』]*』")
LONGEST_WORD = 60  # letters
_NOTHING = frozenset(
    {"none", "null", "nil", "na", "n", "a", "nan", "undefined", "unknown", "empty", "image", "无", "空"}
)


class Verdict(NamedTuple):
    """What becomes of an answer."""

    status: Status
    text: str  # what is kept, where status is "done"
    reason: str = ""  # one of ``REASONS``, where it is not
    quoted: str = ""  # the answer that was not kept

    @property
    def error(self) -> str:
        return f"{self.reason}: {self.quoted}" if self.quoted else self.reason


def judge(answer: str, prompt: Prompt) -> Verdict:
    """The description in an answer to ``prompt``, or why there is none; JSON where the prompt has a schema."""
    text, unanswered = unwrapped(storable(answer))
    if prompt.schema is None:
        text = _out_of_json(text)
    if unanswered:
        return Verdict("failed", "", NO_ANSWER, text)
    if prompt.schema is not None and "{" in text:
        try:
            text = canonical(text)
        except ValueError as error:
            return Verdict("failed", "", NO_JSON, f"{error}: {text}")
    said = as_text(text, prompt) if prompt.schema is not None and "{" in text else text
    for reason, status, found in _faults(said, prompt):
        if found:
            return Verdict(status, "", reason, text)
    if prompt.schema is not None and "{" not in text:
        return Verdict("failed", "", NO_JSON, f"it is not JSON: {text}")
    return Verdict("done", text)


def description_of(item: Item, entry: Entry, prompt: Prompt, describer: str) -> Description:
    """The row of an item whose answer is kept in ``entry``; of JSON the text that encoders read."""
    text = as_text(entry.text, prompt) if prompt.schema and entry.text else entry.text
    found = flags(text, prompt, item.title if prompt.uses_title else "") if entry.status == "done" else ()
    return Description(item.id, text, describer, prompt.name, entry.key.image_sha256, entry.status, entry.error, found)


def _faults(said: str, prompt: Prompt) -> tuple[tuple[str, Status, bool], ...]:
    """Each reason, the status that it gives, and whether it holds; words in quotation marks are the picture's own."""
    own = units(_QUOTED.sub(" ", said))
    return (
        (NO_WORDS, "failed", not _has_words(said)),
        (REFUSAL, "refused", refuses(said)),
        (PLEA, "refused", asks_for_picture(_QUOTED.sub(" ", said))),
        (REPETITION, "failed", loops(own)),
        (LANGUAGE, "failed", prompt.language != "" and in_other_language(own, prompt.language)),
    )


def _has_words(said: str) -> bool:
    """Whether there is a word that means something, and is none of endless letters."""
    found = (unit for unit in units(said) if len(unit) <= LONGEST_WORD and unit not in _NOTHING)
    return any(any(letter.isalpha() for letter in unit) for unit in found)


def _out_of_json(text: str) -> str:
    """The one text of an answer that is a JSON text, or an object or a list with one; else the answer as it is."""
    if text[:1] not in ('"', "{", "["):
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(found, dict) and len(found) == 1 and next(iter(found)).lower() in _KEYS:
        found = next(iter(found.values()))
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found.strip() if isinstance(found, str) else text


def unwrapped(answer: str) -> tuple[str, bool]:
    """The answer without what wraps it and without reasoning, and whether there was nothing but reasoning."""
    text, before, unanswered = _bare(answer), None, False
    while text != before:
        before = text
        text, unanswered = _without_reasoning(text)
        text = (
            _bare(text) if unanswered else _bare(_FENCE.sub(r"\2", _ROLE.sub("", _bare(_TOKEN.sub("", _bare(text))))))
        )
        if unanswered:
            break
    return text, unanswered


def _without_reasoning(text: str) -> tuple[str, bool]:
    """What stands after the last closing tag, or before an opening one that nothing closes."""
    channels = list(_CHANNEL.finditer(text))
    if channels:
        last = channels[-1]
        return text[last.end() :], last[1].lower() != "final"
    for opening, closing in _REASONING:
        ends = list(closing.finditer(text))
        if ends:
            text = text[ends[-1].end() :]
            if not _bare(_TOKEN.sub("", text)):
                return text, True
        if start := opening.search(text):
            text = text[: start.start()]
            return text, not _bare(_TOKEN.sub("", text))
    return text, False


def _bare(text: str) -> str:
    """Without blanks and characters that nobody sees at either end."""
    start, end = 0, len(text)
    while start < end and _unseen(text[start]):
        start += 1
    while end > start and _unseen(text[end - 1]):
        end -= 1
    return text[start:end]


def _unseen(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc", "Zl", "Zp")


def storable(text: str) -> str:
    """Text that can be stored and shown: surrogates replaced, and no control characters, which command terminals."""
    mended = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(c for c in mended if c in "\n\t" or unicodedata.category(c) != "Cc").strip()
