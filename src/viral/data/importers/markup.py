"""Text out of HTML: without tags and entities, which shops leave in titles and descriptions."""

import html
import re

_BLOCKS = r"p|br|div|ul|ol|li|dl|dt|dd|h[1-6]|table|thead|tbody|tfoot|tr|td|th|hr|section|article|header|center|pre"
_WORDS = r"b|i|u|s|em|strong|span|a|img|font|small|big|sub|sup|input|button|iframe|label|form|code|abbr|tt|html|body"
_UNSEEN = re.compile(r"<(script|style)\b.*?(</\1\s*>|$)|<!--.*?(-->|$)", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(rf"</?(?:{_BLOCKS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_WORD = re.compile(rf"</?(?:{_WORDS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_TIMES = 3  # that an entity may have been written as entities


def without_markup(text: str) -> str:
    """The words of a text that may hold HTML, with single blanks between them."""
    for _ in range(_TIMES):
        if "&" not in text or (plain := html.unescape(text)) == text:
            break
        text = plain
    if "<" in text:
        text = _WORD.sub("", _BLOCK.sub(" ", _UNSEEN.sub(" ", text)))
    return " ".join(text.split())
