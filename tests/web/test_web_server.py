"""The real server: what goes over its socket, how it begins, and how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from web_stage import CONFIG, SECRET

from newsletter.membership import open_membership
from newsletter.project import Project

PATIENCE = 30.0


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "NEWSLETTER_SECRET": SECRET,
        "NEWSLETTER_RELAY": "smtp://127.0.0.1:1",
        "LANG": "C",
        **more,
    }


class Server:
    """A `newsletter serve` that runs."""

    def __init__(self, root: Path, config: str = CONFIG) -> None:
        (root / "newsletter.yaml").write_text(config, "utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "newsletter", "serve", "--port", "0"],
            cwd=root,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline().rpartition(":")[2])

    def say(self, data: bytes) -> bytes:
        """Send octets; everything that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def subscribe(self, body: str) -> int:
        """Send the form; the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(connection):
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/subscribe", body, kind)
            answer = connection.getresponse()
            answer.read()
            return answer.status


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.process.kill()
    running.process.communicate()


def test_head_is_get_without_a_body(server: Server) -> None:
    get = server.say(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head = server.say(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    fields, _, body = get.partition(b"\r\n\r\n")
    assert body.endswith(b"</html>\n")
    assert head.endswith(b"\r\n\r\n")
    assert head[:-4].split(b"\r\n")[2:] == fields.split(b"\r\n")[2:], "but for the date"
    assert b"server:" not in fields


CHUNK = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
START = (
    b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
)


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1000000\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 17,
    ],
)
def test_too_much_is_refused_before_its_end_and_the_connection_closed(
    server: Server, rest: bytes
) -> None:
    answer = server.say(START + rest)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert b"</html>" in answer


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        START + b"Content-Length: -1\r\n\r\n",
        START + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \xff\xfe, \r\nConnection: close\r\n\r\n",
        b"GET /%00%ff%2e%2e/%0d%0a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_nonsense_harms_nobody(server: Server, nonsense: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(nonsense)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert server.say(b"GET /health HTTP/1.0\r\n\r\n").endswith(b"alive\n")


def test_the_end_waits_for_who_is_being_answered(tmp_path: Path) -> None:
    server = Server(tmp_path, CONFIG.replace("answer_after: 0", "answer_after: 1"))
    answers: list[int] = []
    asking = threading.Thread(
        target=lambda: answers.append(server.subscribe("email=late@example.org&name=secret"))
    )
    asking.start()
    with open_membership(Project.open(tmp_path, environ=environment())) as membership:
        while not membership.register.changes(since=0):
            time.sleep(0.01)
    # It is stored, and the answer takes its time.
    server.process.send_signal(signal.SIGTERM)
    out, err = server.process.communicate(timeout=PATIENCE)
    asking.join()
    assert answers == [200]
    assert server.process.returncode in (0, -signal.SIGTERM)
    assert "POST /subscribe 200" in err
    assert "Traceback" not in out + err
    assert "late" not in err
    assert "secret" not in err


@pytest.mark.parametrize(
    ("config", "options", "says"),
    [
        (CONFIG, ["--port", "TAKEN"], "cannot be used"),
        (CONFIG, ["--host", "203.0.113.1"], "203.0.113.1 port 8064 cannot be used"),
        (CONFIG.replace("public_url: https://weekly.example.org\n", ""), [], "no public_url"),
    ],
)
def test_what_stands_in_its_way_is_one_line(
    server: Server, tmp_path: Path, config: str, options: list[str], says: str
) -> None:
    (tmp_path / "newsletter.yaml").write_text(config, "utf-8")
    words = [word.replace("TAKEN", str(server.port)) for word in options]
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "serve", *words],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_under_any_other_server_and_over_a_unix_socket(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG, "utf-8")
    where = tmp_path / "socket"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--factory", "newsletter.web.app:create_app"),
            *("--uds", str(where), "--no-access-log"),
        ],
        cwd="/",
        env=environment(NEWSLETTER_ROOT=str(tmp_path)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        until = time.monotonic() + PATIENCE
        answer = b""
        while not answer:
            assert time.monotonic() < until
            with socket.socket(socket.AF_UNIX) as connection:
                try:
                    connection.connect(str(where))
                except OSError:
                    time.sleep(0.05)
                    continue
                connection.sendall(b"GET / HTTP/1.0\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n")
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert b"Small Weekly" in answer
    finally:
        process.terminate()
        _, err = process.communicate()
    assert b"Traceback" not in err
