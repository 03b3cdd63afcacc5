"""What can be seen of a description without its picture: faults that are counted, refusals, pleas for the picture."""

import math
import re
from collections.abc import Sequence

from viral.data.descriptions import Flag
from viral.enrich.protocol import Prompt

LENGTHS = {"en": (5, 150), "zh": (8, 300), "": (3, 300)}  # in units (see ``units``) of what is asked for: 2–3 sentences
OWN_SHARE = 0.5  # of the units, in the script of the prompt's language
LEAST_UNITS = 4  # below which a text has no language
LOOP_TIMES, LOOP_UNITS, LONGEST_LOOP = 4, 8, 40  # a phrase that many times in a row, over that many units at least
COPIED_SHARE, COPIED_UNITS = 0.6, 3  # of the title, in a row
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_UNIT = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+(?:['’-][^\W_{_HAN}]+)*")
_IS_HAN = re.compile(rf"[{_HAN}]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_REFUSAL = re.compile(
    r"""
    (?:unfortunately|regrettably)?[\s,]*
    (?:
        (?:i['’]?m|i\ am|we['’]?re|we\ are)\ (?:very\ |so\ |really\ |truly\ |deeply\ )?sorry\b
      | (?:sorry|apologies)\s*(?:,|\.|but\b|for\b)
      | (?:my\ )apologies\b
      | (?:i|we)\ (?:sincerely\ |must\ )?apologi[sz]e\b
      | (?:i|we)\ (?:can['’]?t|cannot|can\ not|could\ not|couldn['’]t|won['’]t|will\ not)\b
      | (?:i\ am|i['’]m|we\ are|we['’]re)\ (?:unable|not\ able|not\ allowed)\b
      | as\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model|text-based)\b
      | unable\ to\ (?:describe|see|view|help|assist|comply|process|identify)\b
      | (?:非常|很|十分|实在|真的)?(?:抱歉|对不起|不好意思)
      | (?:抱歉|对不起)
      | (?:我|我们|本人|本模型)(?:目前|暂时|也|还)?(?:无法|不能|没办法|没有办法|看不到|不便|拒绝)
      | 作为(?:一个|一名|一款)?\ ?(?:AI|人工智能|大?语言模型|大模型)
      | 无法(?:描述|识别|查看|提供|确定|看到|处理|回答|满足|完成)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PICTURE = r"(?:images?|pictures?|photos?|photographs?|attachments?)"
_A = r"(?:an?|any|the|your|that|this)"
_ARRIVED = (
    r"(?:provided|attached|uploaded|included|shared|supplied|received|given|sent|accessible|available|loaded|detected"
    r"|found|come\ through|visible\ to\ me)"
)
_ARRIVES = r"(?:upload(?:ed)?|provided?|shared?|attach(?:ed)?|sen[dt]|suppl(?:y|ied)|included?|pasted?|post(?:ed)?)"
_ASKS = r"(?:please|kindly|could\ you|can\ you|would\ you|if\ you|once\ you|when\ you)"
_NOT = r"(?:\ not|n['’]t)"
_SEES = r"(?:see|view|find|receive|access|open|detect|have\ access\ to|look\ at|analy[sz]e)"
_PLEA = re.compile(
    rf"""
    \b(?:
        {_ASKS}\ (?:\w+\ ){{0,2}}?(?:re-?)?{_ARRIVES}\ (?:me\ |us\ )?(?:with\ )?{_A}\ (?:\w+\ )?{_PICTURE}
      | (?:i|you|we|user)\ (?:have|had|did|has|do)(?:{_NOT})\ {_ARRIVES}\ {_A}\ {_PICTURE}
      | (?:have|had|did)(?:{_NOT})\ (?:yet\ )?{_ARRIVES}\ {_A}\ {_PICTURE}
      | (?:i|we)\ do{_NOT}\ have\ {_A}\ {_PICTURE}
      | no\ (?:actual\ )?{_PICTURE}\ (?:(?:is|was|were|are|has|have|seems\ to\ (?:be|have))\ )?(?:been\ )?{_ARRIVED}
      | no\ {_PICTURE}\ in\ (?:your|the|this)\ (?:message|request|prompt|conversation|chat)
      | (?:(?:do|ca|can|could|did|am){_NOT}|cannot|unable\ to|not\ able\ to)\ (?:able\ to\ )?
            (?:actually\ |currently\ |directly\ )?{_SEES}\ (?:{_A}\ )?(?:\w+\ )?{_PICTURE}
      | do{_NOT}\ have\ (?:the\ ability|a\ way)\ to\ (?:see|view)
      | need(?:\ you)?\ to\ (?:see|view|look\ at|{_ARRIVES})\ {_A}\ (?:actual\ )?{_PICTURE}
      | {_PICTURE}\ (?:you\ mentioned\ )?(?:was|is|were|are|has|have|did|does|could|can)(?:{_NOT})\ (?:be(?:en)?\ )?
            (?:{_ARRIVED}|load|displayed|opened|accessed|viewed|processed)
      | {_PICTURE}\ (?:cannot|can['’]t)\ be\ (?:{_ARRIVED}|displayed|opened|accessed|viewed|processed)
      | {_PICTURE}\ (?:link\ )?(?:seems|appears)\ to\ be\ (?:missing|absent|empty|broken)
      | without\ (?:seeing|access\ to|being\ able\ to\ see|viewing)\ {_A}\ (?:actual\ )?{_PICTURE}
      | (?:only|solely|purely)\ on\ the\ (?:product\ )?(?:title|name)
      | describe\ a\ (?:typical|generic|hypothetical)
    )\b
      | \A\W*(?:image|picture|photo)\ not\ (?:found|available|provided)
      | 请(?:您)?(?:先|再|重新)?(?:上传|提供|发送|附上|分享)[^。，]{{0,8}}(?:图片|图像|照片|图)
      | (?:没有?|未|并未|尚未|还没)能?(?:看到|收到|提供|上传|附上|发现|检测到|接收到)[^。，]{{0,6}}(?:图片|图像|照片)
      | (?:图片|图像|照片)(?:没有|未能?|并未|尚未|无法|不能)(?:被)?(?:提供|上传|附上|加载|显示|发送|打开)
      | (?:看不到|无法(?:看到|查看|访问|识别|打开))[^。，]{{0,6}}(?:图片|图像|照片)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def units(text: str) -> list[str]:
    """The words of a text in lower case; a Chinese character is a unit of its own."""
    return [unit.lower() for unit in _UNIT.findall(text)]


def flags(text: str, prompt: Prompt, title: str = "") -> tuple[Flag, ...]:
    """What is conspicuous about a description; the ``title`` is that which the prompt showed."""
    found = units(text)
    least, most = LENGTHS.get(prompt.language, LENGTHS[""])
    verdicts: dict[Flag, bool] = {
        "too short": prompt.schema is None and len(found) < least,
        "too long": len(found) > most,
        "title copied": copies(found, units(title)),
    }
    return tuple(flag for flag, so in verdicts.items() if so)


def in_other_language(found: Sequence[str], language: str) -> bool:
    """Whether most units are in another script than the language's (Latin for "en", Chinese characters for "zh")."""
    letters = [unit for unit in found if not unit.isdecimal()]
    if len(letters) < LEAST_UNITS:
        return False
    own = _IS_HAN if language == "zh" else _LATIN
    return sum(own.match(unit) is not None for unit in letters) < OWN_SHARE * len(letters)


def loops(found: Sequence[str]) -> bool:
    """Whether a phrase of up to ``LONGEST_LOOP`` units comes four times in a row, over eight units or more."""
    for period in range(1, min(LONGEST_LOOP, len(found) // LOOP_TIMES) + 1):
        needed = max(LOOP_TIMES * period, LOOP_UNITS) - period
        run = 0
        for here, there in zip(found, found[period:], strict=False):
            run = run + 1 if here == there else 0
            if run >= needed:
                return True
    return False


def copies(found: Sequence[str], title: Sequence[str]) -> bool:
    """Whether 60 % of the title, three units at least, stand in the text in a row."""
    size = max(COPIED_UNITS, math.ceil(COPIED_SHARE * len(title)))
    return not _runs(title, size).isdisjoint(_runs(found, size))


def _runs(found: Sequence[str], size: int) -> set[tuple[str, ...]]:
    return {tuple(found[start : start + size]) for start in range(len(found) - size + 1)}


def refuses(text: str) -> bool:
    """Whether the text begins as answers do that decline: "I'm sorry", "I can't", "As an AI", "抱歉", "我无法"."""
    return _REFUSAL.match(text.lstrip()) is not None


def asks_for_picture(text: str) -> bool:
    """Whether the text says that there was no picture, as models do that got none: "Please upload the image"."""
    return _PLEA.search(text) is not None
