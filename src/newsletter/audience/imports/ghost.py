"""Ghost: id, email, name, note, subscribed_to_emails, complimentary_plan, stripe_customer_id, created_at, deleted_at,
labels, and at the end `tiers`, which was `products` in version 4.

Labels have commas between them and become tags. A member with `subscribed_to_emails` false, or with a `deleted_at`, has
unsubscribed here.
"""

from __future__ import annotations

import re

from newsletter.audience.imports.tool import ACTIVE, UNSUBSCRIBED, Standing, Tool, unknown


def _judge(subscribed: str | None, deleted_at: str | None) -> Standing:
    if deleted_at:
        return Standing(UNSUBSCRIBED)
    match (subscribed or "").lower():
        case "true":
            return Standing(ACTIVE)
        case "false":
            return Standing(UNSUBSCRIBED)
    raise unknown(subscribed or "", hint="subscribed_to_emails is true or false")


GHOST = Tool(
    name="ghost",
    marks=(frozenset(("email", "subscribed to emails")),),
    judged=("subscribed to emails", "deleted at"),
    judge=_judge,
    dropped=re.compile("id|stripe customer id|created at"),
)
