"""A mail server that keeps what it is given as .eml files and passes nothing on.

    python tools/catcher.py caught/ --port 2525

It is aiosmtpd, an SMTP server that is not ours (RFC 5321, with SMTPUTF8 of RFC 6531), and listens on 127.0.0.1 only.
The demo and the acceptance stories run it as a process of its own; see `running`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import re
import select
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

START_SECONDS = 20.0


class Keeper:
    """What aiosmtpd asks about each message: it becomes `RECIPIENT.eml`, the next one `RECIPIENT-2.eml`.

    Args:
        folder: where to keep messages, byte for byte as they came between DATA and the final dot.
        seconds: how long to take over each message.

    """

    def __init__(self, folder: Path, *, seconds: float = 0.0) -> None:
        self.folder = folder
        self.seconds = seconds

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, then answer; what was answered 250 is on disk."""
        await asyncio.sleep(self.seconds)
        if not isinstance(envelope.content, bytes):
            return "554 5.6.0 bytes were expected"
        for recipient in envelope.rcpt_tos:
            path = keep(self.folder, recipient, envelope.content)
        return f"250 2.0.0 kept as {path.name}"


def keep(folder: Path, recipient: str, data: bytes) -> Path:
    """Write a message for `recipient` under a name that is still free, and return its path."""
    name = re.sub(r"[^\w.@+-]", "_", recipient).lstrip(".") or "_"
    for number in count(1):
        path = folder / f"{name}{f'-{number}' if number > 1 else ''}.eml"
        with contextlib.suppress(FileExistsError), path.open("xb") as stream:
            stream.write(data)
            return path
    raise AssertionError("count() has no end")


async def serve(keeper: Keeper, *, port: int, password: str, with_parent: bool) -> None:
    """Listen, print where, and go on until a signal, or until standard input ends when `with_parent`."""
    loop = asyncio.get_running_loop()

    def check(server: SMTP, session: Session, envelope: Envelope, how: str, login: Any) -> Any:
        return AuthResult(success=login.password == password.encode(), handled=False)

    def conversation() -> SMTP:
        return SMTP(
            keeper,
            hostname="localhost",
            enable_SMTPUTF8=True,
            data_size_limit=None,
            authenticator=check if password else None,
            auth_required=bool(password),
            auth_require_tls=False,
            loop=loop,
        )

    server = await loop.create_server(conversation, "127.0.0.1", port)
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, ended.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    print(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()
    server.close()


@contextlib.contextmanager
def running(
    folder: Path, *, seconds: float = 0.0, port: int = 0, password: str = ""
) -> Iterator[str]:
    """A catcher in a process of its own, which ends with the block or with this process; gives its relay URL."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), "--with-parent"]
    process = subprocess.Popen(
        [*command, f"--seconds={seconds}", f"--port={port}", f"--password={password}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        url = process.stdout.readline().decode().strip() if readable else ""
        if not url:
            raise RuntimeError("the mail catcher did not start; its message is above")
        yield url
    finally:
        process.stdin.close()
        process.wait(timeout=START_SECONDS)
        process.stdout.close()


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A mail server that keeps everything, as .eml.")
    parser.add_argument("folder", type=Path, help="where to keep messages")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (any free one)")
    parser.add_argument("--seconds", type=float, default=0.0, help="to take over each message")
    parser.add_argument("--password", default="", help="that a login must have (no login at all)")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")  # a login without TLS is what the tests ask for
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(
            serve(
                Keeper(options.folder, seconds=options.seconds),
                port=options.port,
                password=options.password,
                with_parent=options.with_parent,
            )
        )
    os._exit(0)  # conversations that are still open end with the process


if __name__ == "__main__":
    main()
