"""newsletter.yaml and the environment, as one checked `Publication`."""

from newsletter.config.publication import (
    CONFIG_NAME,
    DATABASE,
    Publication,
    Sender,
    load_publication,
)
from newsletter.config.returning import (
    MailgunSettings,
    PostmarkSettings,
    SendgridSettings,
    SesSettings,
    WebhookSettings,
)
from newsletter.config.secrets import read_secret
from newsletter.config.sending import (
    DkimKey,
    RelaySettings,
    SendSettings,
    WarmUpSettings,
)
from newsletter.config.signup import SignupSettings, WebSettings

__all__ = [
    "CONFIG_NAME",
    "DATABASE",
    "DkimKey",
    "MailgunSettings",
    "PostmarkSettings",
    "Publication",
    "RelaySettings",
    "SendSettings",
    "Sender",
    "SendgridSettings",
    "SesSettings",
    "SignupSettings",
    "WarmUpSettings",
    "WebSettings",
    "WebhookSettings",
    "load_publication",
    "read_secret",
]
