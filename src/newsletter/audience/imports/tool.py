"""How the export of a tool is described: its columns, and what it says about who may be mailed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from newsletter.audience.cells import RowError, quoted
from newsletter.audience.models import SubscriberStatus

ACTIVE, PENDING, UNSUBSCRIBED = (
    SubscriberStatus.ACTIVE,
    SubscriberStatus.PENDING,
    SubscriberStatus.UNSUBSCRIBED,
)

TARGETS = (
    "email",
    "name",
    "first_name",
    "last_name",
    "status",
    "tags",
    "language",
    "joined",
    "suppressed",
)
"""What a column can be, besides a field."""

COMMON: Mapping[str, tuple[str, ...]] = {
    "email": (
        *("email", "email address", "e mail", "e mail address", "mail", "address", "subscriber"),
        *("邮箱", "电子邮箱", "邮箱地址", "电子邮件", "邮件地址", "邮件", "电邮"),
    ),
    "name": ("name", "full name", "display name", "姓名", "名字", "称呼", "昵称"),
    "first_name": ("first name", "firstname", "given name", "fname", "名"),
    "last_name": ("last name", "lastname", "surname", "family name", "lname", "姓"),
    "status": ("status", "状态"),
    "tags": ("tags", "labels", "标签"),
    "language": ("language", "lang", "locale", "语言"),
    "joined": (
        *("joined", "subscribed at", "subscription date", "signup date", "sign up date"),
        *(
            "date joined",
            "date added",
            "created at",
            "加入日期",
            "订阅日期",
            "订阅时间",
            "注册时间",
        ),
    ),
    "suppressed": ("suppressed",),
}
"""What people call their columns, in the form of `plain`; the first that a file has is taken."""


class Standing(NamedTuple):
    """Whether somebody may be mailed: see `audience.register.Incoming`."""

    status: SubscriberStatus
    suppress: str | None = None


Judge = Callable[..., Standing]
"""Takes the cells of the columns that a tool is judged by, None for those that the file does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """How one tool writes its list. Columns are named in the form of `plain`.

    Attributes:
        name: as `--format` takes it.
        marks: any of these sets of columns shows that a file is from this tool.
        columns: where it keeps what; what is not here is looked for under its usual names.
        judged: the columns that say whether somebody may be mailed.
        judge: what they say; RowError for what it does not know.
        objects: columns with a JSON object, whose members become fields.
        dropped: columns that are not taken over: numbers of the tool and of payment services, network addresses,
            what somebody opened or clicked.
        strangers: how the names of its files begin that hold people who never subscribed.

    """

    name: str
    judge: Judge
    marks: tuple[frozenset[str], ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judged: tuple[str, ...] = ()
    objects: frozenset[str] = frozenset()
    dropped: re.Pattern[str] = re.compile(r"(?!)")
    strangers: str | None = None

    def recognises(self, header: frozenset[str]) -> bool:
        """Whether a file with these columns is from this tool."""
        return any(marks <= header for marks in self.marks)


def plain(header: str) -> str:
    """The name of a column without case and punctuation: `E-Mail_Address` is `e mail address`."""
    return re.sub(r"[\s_-]+", " ", header.strip()).casefold()


_STANDINGS: Mapping[str, Standing] = {
    **dict.fromkeys(
        ("", "active", "subscribed", "confirmed", "enabled", "已订阅", "订阅"), Standing(ACTIVE)
    ),
    **dict.fromkeys(("pending", "unconfirmed", "待确认", "未确认"), Standing(PENDING)),
    **dict.fromkeys(
        ("unsubscribed", "opted out", "disabled", "已退订", "退订"), Standing(UNSUBSCRIBED)
    ),
    **dict.fromkeys(("bounced", "cleaned", "undeliverable", "退信"), Standing(ACTIVE, "bounced")),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "投诉"), Standing(UNSUBSCRIBED, "complaint")
    ),
    **dict.fromkeys(
        ("blocklisted", "blacklisted", "黑名单"), Standing(UNSUBSCRIBED, "blocklisted")
    ),
}


def judge_status(status: str | None, suppressed: str | None = None) -> Standing:
    """The words that many tools use; nothing is `active`.

    Args:
        status: what somebody is.
        suppressed: why they must not be mailed all the same, as `subscribers export` writes it.

    Raises:
        RowError: for any other word.

    """
    known = _STANDINGS.get(plain(status or ""))
    if known is None:
        raise unknown(status or "", hint="it is pending, active or unsubscribed")
    if not suppressed:
        return known
    if not suppressed.isprintable() or len(suppressed) > 80:
        raise RowError(f"this is no reason to suppress: {quoted(suppressed)}")
    if suppressed == UNSUBSCRIBED:
        return Standing(UNSUBSCRIBED)
    return Standing(known.status, suppressed)


def unknown(status: str, *, hint: str | None = None) -> RowError:
    """A status that says nothing here: never taken for `active`."""
    return RowError(f"unknown status {quoted(status)}", hint)
