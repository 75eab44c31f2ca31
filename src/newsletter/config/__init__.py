"""newsletter.yaml and the environment, as one checked `Publication`."""

from newsletter.config.publication import (
    CONFIG_NAME,
    DATABASE,
    Publication,
    Sender,
    load_publication,
)
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
    "Publication",
    "RelaySettings",
    "SendSettings",
    "Sender",
    "SignupSettings",
    "WarmUpSettings",
    "WebSettings",
    "load_publication",
]
