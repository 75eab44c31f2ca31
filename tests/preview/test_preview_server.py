"""The process: who gets an answer, what it prints, how it ends."""

from __future__ import annotations

import http.client
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import UsageError
from newsletter.preview.server import serve
from newsletter.project import Project


def test_prints_one_line_and_ends_cleanly_on_ctrl_c(preview: Any) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/7", preview.url)
    assert preview.stop() == (0, "")


def test_ends_while_a_page_listens(preview: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", preview.port, timeout=20)
    connection.request("GET", f"/{preview.token}/events")
    stream = connection.getresponse()
    assert stream.readline() == b"retry: 500\n"
    assert preview.stop() == (0, "")
    connection.close()


def test_the_index_is_where_it_begins_without_a_number(start: Any, publication: Path) -> None:
    preview = start(publication, None)
    assert preview.url == preview.base


def test_takes_the_port_it_is_told(start: Any, publication: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert start(publication, 7, port=port).port == port


@pytest.mark.parametrize("port", [70_000, -1])
def test_a_port_that_does_not_exist(publication: Path, port: int) -> None:
    with pytest.raises(UsageError, match=f"port {port} cannot be used"):
        _serve(publication, port)


def test_a_port_that_is_taken(publication: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} cannot be used: .*--port 0"):
            _serve(publication, port)


def _serve(root: Path, port: int) -> None:
    project = Project.open(root, environ={})
    serve(project, 7, port=port, open_browser=False, announce=lambda line: pytest.fail(line))


def test_an_issue_that_does_not_exist(publication: Path) -> None:
    project = Project.open(publication, environ={})
    with pytest.raises(UsageError, match=r"no issue 70 .*nearest: 7, 8"):
        serve(project, 70, port=0, open_browser=False, announce=lambda line: pytest.fail(line))


def test_listens_on_this_machine_only(standing: Any) -> None:
    with pytest.raises(OSError, match=r".*"):
        socket.create_connection(("127.0.0.2", standing.port), timeout=2).close()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example:{port}", ""]
)
def test_another_host_is_refused(standing: Any, host: str) -> None:
    answer = standing.get("7", Host=host.format(port=standing.port))
    assert answer.status == 421
    assert "第七期" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_localhost_is_this_machine_too(standing: Any) -> None:
    assert standing.get("7", Host=f"localhost:{standing.port}").status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_another_origin_is_refused(standing: Any, origin: str) -> None:
    assert standing.get("api/publication", Origin=origin).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_what_changes_something_needs_the_page_s_own_origin(standing: Any, method: str) -> None:
    assert standing.get("api/issues/7/trial", method=method).status == 403


def test_its_own_origin_is_welcome(standing: Any) -> None:
    origin = f"http://127.0.0.1:{standing.port}"
    assert standing.get("api/publication", Origin=origin).status == 200


@pytest.mark.parametrize("path", ["/", "/7", "/wrong/7", "/wrong/events", "/%ff/7", "//7"])
def test_without_the_token_there_is_nothing(standing: Any, path: str) -> None:
    answer = standing.get(path)
    assert answer.status == 404
    assert standing.token not in answer.text


def test_every_run_has_a_token_of_its_own(start: Any, publication: Path) -> None:
    assert start(publication).token != start(publication).token


def test_headers_of_the_page(standing: Any) -> None:
    answer = standing.get("7")
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers


def test_headers_of_the_mail(standing: Any) -> None:
    view = standing.get("api/issues/7").json()["view"]
    policy = standing.get(f"mail/{view['id']}").headers["content-security-policy"]
    assert "sandbox allow-same-origin" in policy
    assert "script" not in policy
    assert "img-src 'self'" in policy
    without = standing.get(f"mail/{view['id']}?images=off").headers["content-security-policy"]
    assert "img-src 'none'" in without


def test_headers_do_not_depend_on_success(standing: Any) -> None:
    for path in (
        "static/nothing.js",
        "mail/none",
        "image/none",
        "views/none/raw",
        "no/such/route",
    ):
        answer = standing.get(path)
        assert answer.status == 404
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["static/../server.py", "static/..%2fserver.py", "static/%2e%2e/app.py", "static/"]
)
def test_static_files_are_the_static_files(standing: Any, path: str) -> None:
    assert standing.get(path).status == 404
