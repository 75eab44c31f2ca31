"""What the inbox shows: From, subject and preheader, before anybody has opened the mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from wcwidth import wcswidth

from newsletter.checks.model import Example, Found, Severity, check
from newsletter.errors import Place
from newsletter.mail.headers import MAX_WORD_PAYLOAD
from newsletter.source.text import shortened

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

LONGEST_SUBJECT = 70
"""Display cells: 35 Chinese characters, about what a laptop shows; a phone shows the first half."""

SHORTEST_PREHEADER = 40
_SHOUTING = re.compile(r"[!！]{2,}|[?？]{3,}|￥{2,}|\${2,}|★{2,}")
_FAKE = re.compile(r"^\s*(?:re|fw|fwd|回复|答复|转发)\s*[:：]", re.IGNORECASE)
_FREE_MAIL = frozenset(
    (
        *("gmail.com", "googlemail.com", "yahoo.com", "outlook.com", "hotmail.com", "aol.com"),
        *("icloud.com", "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net", "sina.com"),
    )
)


@check(
    "subject-long",
    title="A subject that inboxes cut off",
    severity=Severity.WARNING,
    passing=Example(fields="subject: 小周刊 No.7｜微调新范式：组合、噪音、指令、自我改进"),
    failing=Example(fields=f"subject: {'微调新范式：组合、噪音、指令、自我改进' * 2}"),
)
def subject_long(checked: Checked) -> Iterator[Found]:
    """More than 70 cells (35 Chinese characters) are cut off on a laptop, half of that on a phone.

    Put the words that matter first.
    """
    cells = wcswidth(checked.edition.subject)
    if cells > LONGEST_SUBJECT:
        yield Found(
            f"the subject takes {cells} cells; inboxes show about {LONGEST_SUBJECT}",
            place=_of_subject(checked),
        )


@check(
    "subject-missing",
    title="The mail has no subject to speak of",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(publication={"subject": "{number}"}),
)
def subject_missing(checked: Checked) -> Iterator[Found]:
    """It is empty, or has no letter in it: a number alone says nothing."""
    if not any(char.isalpha() for char in checked.edition.subject):
        yield Found(f"the subject is “{checked.edition.subject}”", place=_of_subject(checked))


@check(
    "subject-shouting",
    title="A subject that shouts",
    severity=Severity.WARNING,
    passing=Example(fields="subject: BERT 与 GPT-4：谁更好？"),
    failing=(
        Example(fields="subject: WEEKLY NEWSLETTER ABOUT MODELS"),
        Example(fields="subject: 重磅！！！本期不容错过"),
    ),
)
def subject_shouting(checked: Checked) -> Iterator[Found]:
    """All capitals, or `！！！`: filters count it, and so do readers."""
    subject = checked.edition.subject
    letters = [char for char in subject if char.isascii() and char.isalpha()]
    latin = len(letters) > 12 and len(letters) > len(subject) / 2
    if latin and sum(char.isupper() for char in letters) > 0.8 * len(letters):
        yield Found(f"“{shortened(subject)}” is all capitals", place=_of_subject(checked))
    elif match := _SHOUTING.search(subject):
        yield Found(f"`{match.group()}` in the subject", place=_of_subject(checked))


@check(
    "subject-fake-reply",
    title="A subject that pretends to be an answer",
    severity=Severity.WARNING,
    passing=Example(fields="subject: 小周刊 No.7：回复读者来信"),
    failing=(
        Example(fields="subject: 'Re: 小周刊 No.7'"),
        Example(fields="subject: 转发：小周刊 No.7"),
    ),
)
def subject_fake_reply(checked: Checked) -> Iterator[Found]:
    """`Re:` or 转发： in front of a newsletter is a trick of spammers, and treated so."""
    if match := _FAKE.search(checked.edition.subject):
        yield Found(
            f"the subject begins with `{match.group().strip()}`", place=_of_subject(checked)
        )


@check(
    "subject-repeats-name",
    title="The subject says the name of the publication twice",
    severity=Severity.WARNING,
    passing=Example(fields="title: 读几篇讲微调的新论文"),
    failing=Example(fields="title: 小周刊第七期：读几篇讲微调的新论文"),
)
def subject_repeats_name(checked: Checked) -> Iterator[Found]:
    """The pattern in newsletter.yaml puts the name before every title; here the title has it too."""
    name = checked.publication.name
    if checked.edition.subject.count(name) > 1 and name in checked.issue.title:
        yield Found(
            f"the subject is “{shortened(checked.edition.subject)}”",
            place=_of_subject(checked),
            hint="leave the name out of the title",
        )


@check(
    "subject-line-break",
    title="A subject with a line break or control character",
    severity=Severity.ERROR,
    passing=Example(body="好。"),
    failing=Example(header={"Subject": "=?utf-8?b?5aW9Cgnlpb0=?="}),
)
def subject_line_break(checked: Checked) -> Iterator[Found]:
    """Decoded, it has a character in it that cannot be shown: mail programs cut it there, or worse."""
    subject = checked.headers.decoded("Subject")
    if any(ord(char) < 0x20 or ord(char) in (0x7F, 0x85, 0x2028, 0x2029) for char in subject):
        yield Found(f"the subject is {subject!r}", place=_of_subject(checked))


@check(
    "preheader-missing",
    title="No preheader",
    severity=Severity.WARNING,
    passing=Example(body="好。"),
    failing=Example(fields="preheader: null"),
)
def preheader_missing(checked: Checked) -> Iterator[Found]:
    """Inboxes show the first words of the mail after the subject: without a preheader 在线阅读."""
    if not checked.edition.preheader.strip():
        yield Found(
            "the issue has no preheader",
            place=checked.source.place(("title",), key=True),
            hint="say in `preheader:` what is in the issue",
        )


@check(
    "preheader-short",
    title="A preheader that is too short",
    severity=Severity.NOTE,
    passing=Example(body="好。"),
    failing=Example(fields="preheader: 本期八篇论文"),
)
def preheader_short(checked: Checked) -> Iterator[Found]:
    """Inboxes have room for 40 cells and more; what it leaves free is filled with white."""
    cells = wcswidth(checked.edition.preheader.strip())
    if 0 < cells < SHORTEST_PREHEADER:
        yield Found(
            f"the preheader takes {cells} cells, and there is room for more",
            place=checked.source.place(("preheader",)),
        )


@check(
    "preheader-repeats",
    title="The preheader says what the subject says",
    severity=Severity.WARNING,
    passing=Example(body="好。"),
    failing=Example(fields="preheader: 立冬前后的几篇新论文"),
)
def preheader_repeats(checked: Checked) -> Iterator[Found]:
    """The two stand side by side in the inbox. Let the second go on where the first ends."""
    said = "".join(checked.edition.preheader.split())
    subject = "".join(checked.edition.subject.split())
    if said and (
        said in subject or subject in said or said == "".join(checked.issue.title.split())
    ):
        yield Found("the preheader repeats the subject", place=checked.source.place(("preheader",)))


@check(
    "preheader-hidden-text",
    title="The preheader is not the first text of the mail",
    severity=Severity.WARNING,
    passing=Example(body="好。"),
    failing=Example(html="<p>在线阅读</p><p>本期读几篇论文</p>"),
)
def preheader_hidden_text(checked: Checked) -> Iterator[Found]:
    """Inboxes take the first words of the HTML, so the template prints the preheader, hidden, before all."""
    wanted = "".join(checked.edition.preheader.split())[:20]
    if wanted and not "".join(checked.words.split()).startswith(wanted):
        yield Found(
            f"the mail begins with “{shortened(checked.words[:20])}”",
            place=checked.places.in_files("<body"),
            hint="print {{ preheader }} first in the body",
        )


@check(
    "from-name-long",
    title="A From name too long for one encoded word",
    severity=Severity.WARNING,
    passing=Example(publication={"from": {"name": "预训练周刊", "address": "a@example.org"}}),
    failing=Example(
        publication={
            "from": {"name": "北京智源人工智能研究院预训练周刊编辑部", "address": "a@example.org"}
        }
    ),
)
def from_name_long(checked: Checked) -> Iterator[Found]:
    """A name of more than 45 bytes (15 Chinese characters) takes two encoded words (RFC 2047).

    QQ and some older programs show the second one raw, and inboxes cut the name at ten anyway.
    """
    name = checked.publication.sender.name
    if not name.isascii() and len(name.encode()) > MAX_WORD_PAYLOAD:
        yield Found(
            f"the From name has {len(name.encode())} bytes; one encoded word holds {MAX_WORD_PAYLOAD}",
            place=_of_config(checked, "name"),
        )


@check(
    "from-free-mail",
    title="The From address belongs to a free mail provider",
    severity=Severity.WARNING,
    passing=Example(body="好。"),
    failing=Example(publication={"from": {"name": "小周刊", "address": "weekly@gmail.com"}}),
)
def from_free_mail(checked: Checked) -> Iterator[Found]:
    """gmail.com, qq.com and the like tell receivers by DMARC to refuse mail that they did not send.

    Write from a domain of your own that has SPF, DKIM and DMARC records.
    """
    domain = checked.publication.sender.address.rpartition("@")[2]
    if domain.lower() in _FREE_MAIL:
        yield Found(
            f"receivers are told to refuse mail from {domain} that {domain} did not send",
            place=_of_config(checked, "address"),
        )


@check(
    "from-no-reply",
    title="An address that takes no answers",
    severity=Severity.NOTE,
    passing=Example(body="好。"),
    failing=Example(publication={"from": {"name": "小周刊", "address": "no-reply@example.org"}}),
)
def from_no_reply(checked: Checked) -> Iterator[Found]:
    """Readers answer newsletters. Their answers are worth reading, and teach filters to like you."""
    local = checked.publication.sender.address.partition("@")[0].replace("-", "").replace("_", "")
    if local.lower() in ("noreply", "donotreply") and not checked.publication.reply_to:
        yield Found(
            f"{checked.publication.sender.address} takes no answers",
            place=_of_config(checked, "address"),
            hint="set reply_to",
        )


def _of_subject(checked: Checked) -> Place:
    field = "subject" if checked.issue.subject else "title"
    return checked.source.place((field,))


def _of_config(checked: Checked, field: str) -> Place:
    """newsletter.yaml, at a field of `from:`."""
    return checked.setting("from", field)
