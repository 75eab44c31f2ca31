"""The header fields of a mail to many: how it is known, left, and answered by machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from newsletter.checks.model import Example, Found, Severity, check

if TYPE_CHECKING:
    from newsletter.checks.checked import Checked

_GOOD = Example(body="好。")


@check(
    "header-list-id",
    title="The List-Id is malformed",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=Example(header={"List-Id": "weekly"}),
)
def header_list_id(checked: Checked) -> Iterator[Found]:
    """`name <identifier>` with a dot in the identifier (RFC 2919): readers filter by it."""
    value = checked.headers.value("List-Id")
    if value and not re.search(r"<[^<>@\s]+\.[^<>@\s]+>$", value):
        yield Found(
            f"List-Id `{value}` has no `<identifier.domain>`", place=checked.setting("list_id")
        )


@check(
    "header-unsubscribe",
    title="Unsubscribing by one click is not offered",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(
        Example(header={"List-Unsubscribe": "<http://example.org/u/1>, <mailto:a@example.org>"}),
        Example(header={"List-Unsubscribe-Post": ""}),
        Example(header={"List-Unsubscribe": "<https://example.org/u/1>"}),
    ),
)
def header_unsubscribe(checked: Checked) -> Iterator[Found]:
    """One https address and one mailto in List-Unsubscribe, and `List-Unsubscribe=One-Click` in
    List-Unsubscribe-Post (RFC 2369, RFC 8058): Gmail, Yahoo and Outlook.com ask it of whoever sends many.

    Without a `public_url` in newsletter.yaml there can be no https address; then `one-click-missing`
    says so.
    """
    addresses = re.findall(r"<([^<>]*)>", checked.headers.value("List-Unsubscribe"))
    schemes = sorted(address.partition(":")[0].lower() for address in addresses)
    wanted = ["https", "mailto"] if checked.publication.public_url else ["mailto"]
    post = checked.headers.value("List-Unsubscribe-Post")
    if addresses and schemes != wanted:
        yield Found(f"List-Unsubscribe has {' and '.join(schemes)}, not {' and '.join(wanted)}")
    if "https" in schemes and post != "List-Unsubscribe=One-Click":
        yield Found("List-Unsubscribe-Post is not `List-Unsubscribe=One-Click`")


@check(
    "one-click-missing",
    title="There is no address for one-click unsubscribing",
    severity=Severity.WARNING,
    passing=_GOOD,
    failing=Example(publication={"public_url": None}),
)
def one_click_missing(checked: Checked) -> Iterator[Found]:
    """Without `public_url` readers can unsubscribe by mail only. Gmail and Yahoo want one click from
    senders of 5,000 mails a day, and count complaints of readers who do not find the way out.
    """
    if not checked.publication.public_url:
        yield Found(
            "newsletter.yaml has no public_url, so unsubscribing takes a mail",
            place=checked.setting("public_url"),
            hint="set public_url to the endpoint of `newsletter serve`",
        )


@check(
    "header-list-archive",
    title="The List-Archive does not lead to the archive",
    severity=Severity.WARNING,
    passing=_GOOD,
    failing=Example(
        publication={"site_url": "https://weekly.example.org"}, header={"List-Archive": ""}
    ),
)
def header_list_archive(checked: Checked) -> Iterator[Found]:
    """With a `site_url` the header says where old issues are (RFC 2369, 3.6)."""
    site = checked.publication.site_url
    if site and f"<{site}" not in checked.headers.value("List-Archive"):
        yield Found(f"List-Archive is not <{site}>")


@check(
    "header-precedence",
    title="The message does not say that it is sent to many",
    severity=Severity.ERROR,
    passing=_GOOD,
    failing=(Example(header={"Precedence": "first-class"}), Example(header={"Feedback-ID": "x"})),
)
def header_precedence(checked: Checked) -> Iterator[Found]:
    """`Precedence: bulk` keeps vacation notices from answering; Feedback-ID, four parts with `:`, is what
    Gmail's complaint statistics go by.
    """
    if checked.headers.value("Precedence").lower() not in ("", "bulk", "list"):
        yield Found(f"Precedence is `{checked.headers.value('Precedence')}`, not bulk")
    feedback = checked.headers.value("Feedback-ID")
    if feedback and feedback.count(":") != 3:
        yield Found(f"Feedback-ID `{feedback}` has not four parts")
