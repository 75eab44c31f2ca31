"""A Dovecot of the test's own: Debian's program with folders, port and certificate made for one test; loopback only."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0
NOBODY = 65534
PASSWORD = "pässword"

SETTINGS = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
mail_location = maildir:~/Maildir
first_valid_uid = 1
auth_failure_delay = 0
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service stats {{
  client_limit = 10
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={nobody} gid={nobody} home={folder}/home
}}
"""


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A Dovecot that runs.

    Attributes:
        port: for imaps.
        certificate: what to trust.
        inbox: its one Maildir.

    """

    port: int
    certificate: Path
    inbox: Path

    @property
    def url(self) -> str:
        return f"imaps://bounces%40example.org@localhost:{self.port}/INBOX"

    def deliver(self, name: str, data: bytes) -> None:
        """Put a mail into the inbox, as a mail server does."""
        draft = self.inbox / "tmp" / name
        draft.write_bytes(data)
        os.chown(draft, NOBODY, NOBODY)
        draft.rename(self.inbox / "new" / name)


@contextlib.contextmanager
def running_dovecot(program: Path) -> Iterator[Dovecot]:
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        folder.chmod(0o755)
        inbox = folder / "home" / "Maildir"
        for name in ("new", "cur", "tmp"):
            (inbox / name).mkdir(parents=True)
        for path in (folder / "home", inbox, *inbox.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        _make_certificate(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {"folder": folder, "port": port, "password": PASSWORD, "nobody": NOBODY}
        config = folder / "dovecot.conf"
        config.write_text(SETTINGS.format(**settings), "utf-8")
        with subprocess.Popen([program, "-F", "-c", config]) as process:
            try:
                _wait_for(port)
                yield Dovecot(port, folder / "cert.pem", inbox)
            finally:
                process.terminate()
                process.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _make_certificate(folder: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, *files, *subject], check=True, capture_output=True)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
