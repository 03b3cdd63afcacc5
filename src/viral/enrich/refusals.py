"""Answers in which nothing is described: refusals, and pleas for a picture that the model did not get."""

import re

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


def refuses(text: str) -> bool:
    """Whether the text begins as answers do that decline: "I'm sorry", "I can't", "As an AI", "抱歉", "我无法"."""
    return _REFUSAL.match(text.lstrip()) is not None


def asks_for_picture(text: str) -> bool:
    """Whether the text says that there was no picture, as models do that got none: "Please upload the image"."""
    return _PLEA.search(text) is not None
