"""What mail services tell by calling us, as the same reports that a mailbox gives. Whether they may is asked before."""

from newsletter.feedback.providers.event import Event
from newsletter.feedback.providers.mailgun import read_mailgun
from newsletter.feedback.providers.postmark import read_postmark
from newsletter.feedback.providers.sendgrid import read_sendgrid
from newsletter.feedback.providers.ses import read_ses

__all__ = ["Event", "read_mailgun", "read_postmark", "read_sendgrid", "read_ses"]
