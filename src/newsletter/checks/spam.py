"""What spam filters hold against a mail, as far as it can be told without asking one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_SHARE = 0.5
_FEW = 30
_TRIGGERS = re.compile(
    r"免费领取|点击领取|立即领取|恭喜您?中奖|中大奖|发票|代开|贷款|信用卡套现|刷单|日赚|月入过万|躺赚|赚大钱|暴富|加微信领"
    r"|澳门|博彩|赌场|彩票|壮阳|成人用品|最后一天机会|不看后悔|100%\s?(?:免费|有效|中奖)|绝对(?:免费|赚钱)"
    r"|\b(?:act now|free money|make money fast|winner|viagra|casino|100% free|risk[- ]free|click below"
    r"|limited time offer|no obligation|earn \$\d+|dear friend|double your)\b",
    re.IGNORECASE,
)
_ACTIVE = ("script", "form", "iframe", "object", "embed", "applet", "input", "frame")
_PAGE = "<p>{}</p>"
_LONG = "这一期读几篇讲微调的新论文，每篇写一段简介，说清楚它解决了什么问题、用了什么办法。"


@check(
    "text-missing",
    title="The text part is missing or says nothing",
    severity=Severity.ERROR,
    passing=Example(text=_LONG),
    failing=(Example(text=""), Example(text="请用支持 HTML 的邮箱查看。")),
)
def text_missing(checked: Checked) -> Iterator[Found]:
    """Filters hold it against a mail, watches and screen readers read it, and some people prefer it.

    “Please use a mail program that shows HTML” is no text part.
    """
    words = "".join(checked.text.split())
    if len(words) < _FEW and len("".join(checked.words.split())) > 2 * len(words):
        yield Found(
            f"the text part has only {len(words)} characters",
            place=checked.template("issue.txt.j2"),
        )


@check(
    "text-differs",
    title="The text part does not say what the HTML part says",
    severity=Severity.WARNING,
    passing=Example(html=_PAGE.format(_LONG), text=_LONG),
    failing=Example(
        html=_PAGE.format(_LONG), text="秋天的第一场雪落在山上，湖面结了薄冰，候鸟向南飞去。" * 2
    ),
)
def text_differs(checked: Checked) -> Iterator[Found]:
    """SpamAssassin and others compare the two (MPART_ALT_DIFF). Less than half of the words in common
    looks like a trick; usually a block's `.txt.j2` template is empty.
    """
    html, text = _pairs(checked.words), _pairs(checked.text)
    total = sum(html.values())
    shared = sum((html & text).values())
    if total > _FEW and len(checked.text.strip()) >= _FEW and shared / total < _SHARE:
        yield Found(
            f"only {shared / total:.0%} of the HTML part's words are in the text part",
            place=checked.template("issue.txt.j2"),
            hint="print in each .txt.j2 what its .html.j2 prints",
        )


@check(
    "trigger-words",
    title="Words that filters know from spam",
    severity=Severity.NOTE,
    passing=Example(body="这种方法免费又有效，论文可以下载。"),
    failing=(Example(body="免费领取大模型课程！"), Example(fields="title: 本期福利，恭喜中奖")),
)
def trigger_words(checked: Checked) -> Iterator[Found]:
    """One of them does no harm in a mail that is otherwise good; in a subject they are better avoided."""
    for copy in checked.copy:
        for match in _TRIGGERS.finditer(copy.text):
            yield Found(f"“{match.group()}”", place=copy.place(match.start()))


@check(
    "element-active",
    title="An element that mail programs remove",
    severity=Severity.ERROR,
    passing=Example(html="<p>好</p>"),
    failing=(
        Example(html="<p>好</p><script>alert(1)</script>"),
        Example(html='<form action="https://a.org"><input name="q"></form>'),
        Example(html='<p onclick="go()">好</p>'),
    ),
)
def element_active(checked: Checked) -> Iterator[Found]:
    """Scripts, forms, frames: removed at best, and a reason to refuse the mail at worst."""
    for node in checked.elements:
        if node.tag in _ACTIVE:
            yield Found(
                f"<{node.tag}> does not belong in a mail", place=checked.places.of_tag(node)
            )
        for name in map(str, node.attrib):
            if name.lower().startswith("on"):
                yield Found(
                    f"`{name}` on <{node.tag}> does not belong in a mail",
                    place=checked.places.of_tag(node),
                )


@check(
    "unsubscribe-missing",
    title="The mail shows no way to unsubscribe",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(html="<p>好</p>"),
)
def unsubscribe_missing(checked: Checked) -> Iterator[Found]:
    """A visible link to unsubscribe, in both parts, is what the law asks for in most countries, and what
    keeps readers from the spam button. The theme prints `unsubscribe_url` in its footer.
    """
    address = _unsubscribe_address(checked)
    for part, said in (
        ("HTML", [link.address for link in checked.links]),
        ("text", [checked.text]),
    ):
        if address and not any(address in one for one in said):
            template = "issue.html.j2" if part == "HTML" else "issue.txt.j2"
            yield Found(
                f"the {part} part has no unsubscribe link",
                place=checked.template(template),
                hint="print {{ unsubscribe_url }} in the footer",
            )


def _unsubscribe_address(checked: Checked) -> str:
    """The address of this recipient's List-Unsubscribe: the page, or else the mailbox."""
    found = re.findall(
        r"<(https?:[^<>]+|mailto:[^<>?]+)", checked.headers.value("List-Unsubscribe")
    )
    return str(found[0]) if found else ""


def _pairs(text: str) -> Counter[str]:
    """The pairs of neighbouring characters in a text, without white space, addresses and marks."""
    text = re.sub(r"https?://\S+", " ", text)
    plain = "".join(char for char in text if char.isalnum())
    return Counter(plain[at : at + 2] for at in range(len(plain) - 1))
