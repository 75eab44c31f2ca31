"""A Postfix and a postgrey of the test's own: Debian's programs with folders, ports and settings made for one test.

Nothing in /etc or /var is touched. Postfix needs root, since it changes users; it listens on loopback only.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 30.0
LOG_SECONDS = 5.0
TRIES = 3

# postgrey first, then the server behind: its refusal of a probe becomes our refusal at RCPT
# (ADDRESS_VERIFICATION_README), as a relay does that knows the mailboxes it relays to.
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/log/mail.log
maillog_file_prefixes = {folder}/log
enable_long_queue_ids = yes

myhostname = relay.example.net
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{onward}
smtputf8_enable = yes
disable_dns_lookups = yes

smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions =
    check_policy_service inet:127.0.0.1:{policy},
    reject_unverified_recipient,
    permit_mynetworks, reject
unverified_recipient_reject_code = 550
address_verify_poll_count = 1
smtpd_delay_reject = yes
{more}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60  1 pickup
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
verify    unix  - - n -   1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -   - proxymap
proxywrite unix - - n -   1 proxymap
smtp      unix  - - n -   - smtp
relay     unix  - - n -   - smtp
local     unix  - n n -   - local
showq     unix  n - n -   - showq
error     unix  - - n -   - error
retry     unix  - - n -   - error
discard   unix  - - n -   - discard
anvil     unix  - - n -   1 anvil
scache    unix  - - n -   1 scache
postlog   unix-dgram n - n - 1 postlogd
"""
_LINE = re.compile(r"postfix/(?P<daemon>\w+)\[\d+\]: (?P<queue_id>[0-9A-Za-z]{6,}): (?P<what>.*)")


@dataclass(frozen=True, slots=True)
class Postfix:
    """A Postfix that runs."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """As a relay."""
        return f"smtp://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Everything it has logged."""
        return (self.folder / "log" / "mail.log").read_text("utf-8")

    def handed_on(self) -> dict[str, str]:
        """Queue id of every message that was handed on, with its recipient."""
        found = {}
        for match in _LINE.finditer(self.log()):
            to = re.match(r"to=<([^>]*)>.* status=sent ", match["what"])
            if to and match["daemon"] == "smtp":
                found[match["queue_id"]] = to[1]
        return found


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int) -> None:
    """Until somebody listens on it."""
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


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder that the daemons' own users may enter; pytest's are for root alone."""
    path = Path(tempfile.mkdtemp(prefix="postfix-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def running_postgrey(program: Path, *, delay: int) -> Iterator[int]:
    """postgrey that greylists everybody for `delay` seconds; gives its port."""
    port = free_port()
    with _folder() as folder:
        shutil.chown(folder, "postgrey", "postgrey")
        nobody = folder / "nobody"
        nobody.touch()
        command: list[str | Path] = [
            program,
            f"--inet=127.0.0.1:{port}",
            f"--dbdir={folder}",
            f"--delay={delay}",
        ]
        trust = ["--auto-whitelist-clients=0", f"--whitelist-clients={nobody}"]
        command += [*trust, f"--whitelist-recipients={nobody}"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_for_port(port)
                yield port
            finally:
                process.terminate()
                process.wait(timeout=START_SECONDS)


@contextlib.contextmanager
def running_postfix(
    program: Path, *, onward: int, policy: int, more: str = ""
) -> Iterator[Postfix]:
    """Postfix that asks `policy` about every recipient and hands what it accepts to the server at `onward`.

    `more` are further lines of its main.cf; `{folder}` in them is its own folder.
    """
    port = free_port()
    with _folder() as folder:
        for name in ("etc", "queue", "data", "log"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        more = more.replace("{folder}", str(folder))
        settings = {"folder": folder, "onward": onward, "policy": policy, "more": more}
        (folder / "etc" / "main.cf").write_text(MAIN.format(**settings))
        (folder / "etc" / "master.cf").write_text(MASTER.format(port=port))
        running = Postfix(folder, port)
        try:
            for _ in range(TRIES):
                started = _control(program, folder, "start")
                assert started.returncode == 0, started.stdout + started.stderr
                wait_for_port(port)
                if _logs(running):
                    break
                _kill(folder)
            yield running
        finally:
            try:
                _control(program, folder, "stop")
            except subprocess.TimeoutExpired:
                _kill(folder)


def _control(program: Path, folder: Path, word: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    command = [program, "-c", folder / "etc", word]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=START_SECONDS
    )


def _logs(postfix: Postfix) -> bool:
    """Whether its log is being written; once in a while postlogd dies at the start, and everybody waits for it."""
    until = time.monotonic() + LOG_SECONDS
    while "daemon started" not in postfix.log():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _kill(folder: Path) -> None:
    """End a master that does not stop, and its children, which end with it."""
    master = int((folder / "queue" / "pid" / "master.pid").read_text())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(master, signal.SIGKILL)
