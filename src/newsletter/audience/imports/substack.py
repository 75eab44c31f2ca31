"""Substack: the list in the ZIP of the settings page, or the table of the subscriber page.

* the ZIP's `email_list….csv`: email, active_subscription, expiry, plan, email_disabled, created_at, first_payment_at;
  older ones without plan and first_payment_at, or with prefer_digests or name;
* the table: Email, Name, Stripe plan, Cancel date, Start date, Paid upgrade date, Activity, Type, and whichever columns
  were chosen (Emails opened, Links clicked, …).

`active_subscription` is about paying, not about reading: those who do not pay are subscribers as well. Only
`email_disabled` says that somebody does not want the mail; the table lists none of those.
"""

from __future__ import annotations

import re

from newsletter.audience.imports.tool import ACTIVE, UNSUBSCRIBED, Standing, Tool, unknown


def _judge(email_disabled: str | None) -> Standing:
    match (email_disabled or "false").lower():
        case "true":
            return Standing(UNSUBSCRIBED)
        case "false":
            return Standing(ACTIVE)
    raise unknown(email_disabled or "", hint="email_disabled is true or false")


SUBSTACK = Tool(
    name="substack",
    marks=(
        frozenset(("email", "active subscription")),
        frozenset(("email", "stripe plan", "start date")),
    ),
    columns={"joined": ("created at", "subscription created at", "start date")},
    judged=("email disabled",),
    judge=_judge,
    dropped=re.compile(
        "activity|prefer digests|(num |unique )?emails? .*|links clicked.*|last .*|days active.*"
        "|(web )?post views.*|comments.*|shares.*|subscription source.*|revenue|country|state.*"
    ),
)
