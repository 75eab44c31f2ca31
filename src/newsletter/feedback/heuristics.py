"""Addresses in bounces that follow no standard, as Mailman's flufl.bounce finds them.

Its patterns are old and kind: some would see a bounce in a letter from a person, some guess an address that the mail
does not hold, and all of them take their time over long lines. So it is asked only about mails that come from a mail
system, it gets their beginning, and only what really stands in the mail is believed.
"""

from __future__ import annotations

import logging
from email import message_from_bytes
from typing import NamedTuple

from flufl.bounce import all_failures

MOST_OCTETS = 64 * 1024
MOST_LINES = 2000
LONGEST_LINE = 998  # RFC 5322 section 2.1.1

# It logs each of its 17 steps, and its own failures with a traceback.
logging.getLogger("flufl.bounce").disabled = True


class Found(NamedTuple):
    """The addresses that flufl.bounce names."""

    temporary: frozenset[str]
    permanent: frozenset[str]


def find_failures(data: bytes) -> Found:
    """Who bounced, by Mailman's patterns; never raises.

    Args:
        data: the whole mail. Its first 64 KiB are read.

    """
    begin = b"\n".join(line[:LONGEST_LINE] for line in data[:MOST_OCTETS].split(b"\n")[:MOST_LINES])
    try:
        temporary, permanent = all_failures(message_from_bytes(begin))
    except Exception:  # parser and patterns both have inputs that they choke on
        return Found(frozenset(), frozenset())
    present = data.lower()
    return Found(_believed(temporary, present), _believed(permanent, present))


def _believed(addresses: frozenset[bytes], present: bytes) -> frozenset[str]:
    return frozenset(
        address.decode("ascii")
        for address in addresses
        if b"@" in address and address.isascii() and address.lower() in present
    )
