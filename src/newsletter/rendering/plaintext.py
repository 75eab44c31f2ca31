"""The last pass over the text part: blank lines, trailing blanks, characters that mail programs stumble over."""

from __future__ import annotations

import re

_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_BLANKS = re.compile("[\t\u00a0\u2000-\u200a\u202f\u205f]")
_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def finish_text(text: str, *, width: int = 0, language: str = "zh-CN") -> str:
    """`text` as it goes into the message: at most one blank line in a row, `\\n` line ends, one at the end.

    Args:
        text: what the templates made.
        width: wrap at this many display cells; 0 leaves wrapping to the mail program.
    """
    text = _INVISIBLE.sub("", _BLANKS.sub(" ", _BREAKS.sub("\n", text)))
    lines = [line.rstrip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
