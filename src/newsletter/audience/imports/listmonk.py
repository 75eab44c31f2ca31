"""listmonk: uuid, email, name, attributes (a JSON object), status, created_at, updated_at.

`status` is enabled, disabled or blocklisted. Where people of one mailing list are exported, some versions add
`subscription_status`: confirmed, unconfirmed or unsubscribed. listmonk mails `unconfirmed` people too when the mailing
list asks for no confirmation, which the file does not say; here they are pending. `--map status=status` takes the first
column alone.
"""

from __future__ import annotations

import re

from newsletter.audience.imports.tool import (
    ACTIVE,
    PENDING,
    UNSUBSCRIBED,
    Standing,
    Tool,
    unknown,
)

_SUBSCRIPTIONS = {
    "": ACTIVE,
    "confirmed": ACTIVE,
    "unconfirmed": PENDING,
    "unsubscribed": UNSUBSCRIBED,
}


def _judge(status: str | None, subscription: str | None) -> Standing:
    standing = (subscription or "").lower()
    if standing not in _SUBSCRIPTIONS:
        raise unknown(standing)
    match (status or "").lower():
        case "enabled":
            return Standing(_SUBSCRIPTIONS[standing])
        case "disabled":
            return Standing(UNSUBSCRIBED)
        case "blocklisted" | "blacklisted":
            return Standing(UNSUBSCRIBED, "blocklisted")
    raise unknown(status or "", hint="it is enabled, disabled or blocklisted")


LISTMONK = Tool(
    name="listmonk",
    marks=(frozenset(("uuid", "email", "attributes")),),
    judged=("status", "subscription status"),
    judge=_judge,
    objects=frozenset(("attributes",)),
    dropped=re.compile("uuid|id|updated at"),
)
