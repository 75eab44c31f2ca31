"""`newsletter serve`: the public endpoint."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import click


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Name or address to listen on."
)
@click.option(
    "--port",
    type=click.IntRange(min=0, max=65535),
    default=8064,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
def command(host: str, port: int) -> None:
    """Answer subscribe forms, confirmations, unsubscribe links and preferences.

    Put a web server with TLS in front of it (docs/deploying.md); `web.trusted_proxies` names whose X-Forwarded-For
    is believed. Confirmation mails go out over the relay. One line per request goes to standard error, without
    addresses and without whole tokens. SIGTERM or Ctrl-C ends it when open requests are answered.
    """
    from newsletter.web.server import serve

    _write_log_to_stderr()
    serve(Path.cwd(), host=host, port=port, announce=_announce)


def _announce(address: str) -> None:
    click.echo(f"Serving: {address}\nCtrl-C ends it.")
    sys.stdout.flush()


def _write_log_to_stderr() -> None:
    """One line an event, its time in UTC."""
    formatter = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    for name in ("newsletter", "uvicorn"):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO if name == "newsletter" else logging.ERROR)
