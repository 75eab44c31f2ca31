"""Buttondown: one file with everybody, whatever they are.

email, notes, metadata (a JSON object), tags, subscriber_type, creation_date, subscription_date, unsubscription_date,
source, referrer_url, utm_…, ip_address, id, secondary_id and more; since 2024 `email_address` and `type` in place of
`email` and `subscriber_type`. The type alone says what somebody is. Types that are about paying (regular, premium,
gifted, trialed, unpaid, churning, churned, past_due) all receive mail; `unactivated` has not confirmed, and `paused`
does not want mail for now.
"""

from __future__ import annotations

import re

from newsletter.audience.imports.tool import (
    ACTIVE,
    PENDING,
    UNSUBSCRIBED,
    Standing,
    Tool,
    plain,
    unknown,
)

_PAYING = ("regular", "premium", "gifted", "trialed", "unpaid", "churning", "churned", "past due")
_STANDINGS = {
    **dict.fromkeys(_PAYING, Standing(ACTIVE)),
    "unactivated": Standing(PENDING),
    "paused": Standing(PENDING),
    "unsubscribed": Standing(UNSUBSCRIBED),
    "removed": Standing(UNSUBSCRIBED),
    "disabled": Standing(UNSUBSCRIBED),
    "undeliverable": Standing(ACTIVE, "bounced"),
    "complained": Standing(UNSUBSCRIBED, "complaint"),
    "spammy": Standing(UNSUBSCRIBED, "blocklisted"),
    "blocked": Standing(UNSUBSCRIBED, "blocklisted"),
}


def _judge(old: str | None, new: str | None) -> Standing:
    kind = new or old or ""
    standing = _STANDINGS.get(plain(kind))
    if standing is None:
        raise unknown(kind)
    return standing


BUTTONDOWN = Tool(
    name="buttondown",
    marks=(
        frozenset(("email", "subscriber type")),
        frozenset(("email address", "type", "creation date")),
        frozenset(("email address", "type", "metadata")),
    ),
    columns={"joined": ("subscription date", "creation date")},
    judged=("subscriber type", "type"),
    judge=_judge,
    objects=frozenset(("metadata",)),
    dropped=re.compile(
        "id|secondary id|source|referr.*|utm .*|ip address|avatar url|.*(open|click|bounce).*|stripe.*"
        "|transitions|risk score|firewall.*|(creation|churn|upgrade|undeliverability|unsubscription) date"
        "|undeliverability reason|unsubscription reason|(gift|purchase).*|subscriber import.*|delivered count"
    ),
)
