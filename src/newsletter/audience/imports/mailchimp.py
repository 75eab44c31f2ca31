"""Mailchimp: a ZIP with a file for each kind of contact, which have the kind in their names and not in a column.

* `subscribed_…`, and `nonsubscribed_…` for people who never agreed: Email Address, First Name, Last Name, fields of the
  audience's own (Address, Phone Number, Birthday, …), MEMBER_RATING, OPTIN_TIME, OPTIN_IP, CONFIRM_TIME, CONFIRM_IP,
  LATITUDE, LONGITUDE, GMTOFF, DSTOFF, TIMEZONE, CC, REGION, LAST_CHANGED, LEID, EUID, NOTES, and later TAGS, such as
  `"VIP","Blog"`;
* `unsubscribed_…`: also UNSUB_TIME, UNSUB_CAMPAIGN_TITLE, UNSUB_CAMPAIGN_ID, UNSUB_REASON, UNSUB_REASON_OTHER;
* `cleaned_…`, those whose mail bounced: also CLEAN_TIME, CLEAN_CAMPAIGN_TITLE, CLEAN_CAMPAIGN_ID.

The names of the first columns are the audience's to choose. So LEID and EUID, which it always has, are the marks, and
the columns of the last two kinds say what everybody in such a file is.
"""

from __future__ import annotations

import re

from newsletter.audience.imports.tool import ACTIVE, UNSUBSCRIBED, Standing, Tool


def _judge(unsub_time: str | None, clean_time: str | None, reason: str | None) -> Standing:
    if clean_time is not None:
        return Standing(ACTIVE, "bounced")
    if unsub_time is None:
        return Standing(ACTIVE)
    if re.search("spam|abuse", reason or "", re.IGNORECASE):
        return Standing(UNSUBSCRIBED, "complaint")
    return Standing(UNSUBSCRIBED)


MAILCHIMP = Tool(
    name="mailchimp",
    marks=(frozenset(("leid", "euid")), frozenset(("email address", "optin time"))),
    columns={"joined": ("confirm time", "optin time")},
    judged=("unsub time", "clean time", "unsub reason"),
    judge=_judge,
    dropped=re.compile(
        "member rating|(optin|confirm) (time|ip)|latitude|longitude|gmtoff|dstoff|timezone|cc|region"
        "|last changed|leid|euid|unsub .*|clean .*"
    ),
    strangers="nonsubscribed",
)
