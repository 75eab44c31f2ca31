"""A message ready for the wire: an envelope and the bytes between DATA and the final dot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the relay is told (RFC 5321 section 3.3), apart from what the reader sees.

    Attributes:
        reverse_path: where bounces go.
        forward_path: the one recipient.
        smtputf8: whether the transaction needs RFC 6531.

    """

    reverse_path: str
    forward_path: str
    smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one recipient.

    Attributes:
        envelope: reverse and forward path.
        message_id: the Message-ID with its angle brackets.
        data: header and body, CRLF line ends, no line over 998 octets, no line that begins with a dot, so that it
            goes out as it is, followed by `.` and CRLF (RFC 5321 4.5.2).

    """

    envelope: Envelope
    message_id: str
    data: bytes
