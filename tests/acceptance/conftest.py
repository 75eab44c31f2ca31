"""A sample publication, a mail server and the demo for every story."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from subprocess import CompletedProcess

import catcher
import pytest
from accessibility import VERSION
from node_package import CannotFetch, fetched
from story import (
    ROOT,
    SECRET,
    Demo,
    Desk,
    Finished,
    Mail,
    copy_sample,
    environment,
    finish,
    parse,
)

PATIENCE = 60.0  # seconds until a mail must have come


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A copy of the sample publication."""
    root = copy_sample(tmp_path / "weekly")
    desk = Desk(root=root, variables={"NEWSLETTER_SECRET": SECRET})
    yield desk
    desk.close()


@pytest.fixture
def told(desk: Desk, call: Callable[..., CompletedProcess[str]]) -> Callable[..., Finished]:
    """`told("send", …)` as `desk.run`, in this process: for the variants of what a process has said."""

    def run(*words: str, **variables: str) -> Finished:
        done = call(*words, cwd=desk.root, env=environment(**{**desk.variables, **variables}))
        return Finished(code=done.returncode, out=done.stdout, err=done.stderr)

    return run


@pytest.fixture
def caught(tmp_path: Path) -> Path:
    """Where every mail server of a story keeps what it gets."""
    return tmp_path / "caught"


@pytest.fixture
def mail(caught: Path) -> Iterator[Mail]:
    """A mail server for the whole story."""
    with catcher.running(caught) as url:
        yield Mail(url=url, folder=caught)


@pytest.fixture
def nowhere() -> str:
    """A relay that is down: a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"smtp://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run twice in a copy of the sample publication."""
    root = copy_sample(tmp_path_factory.mktemp("demo") / "weekly")
    kept = []
    done = []
    for _ in range(2):
        process = Desk(root=root, program=(sys.executable, str(ROOT / "tools/demo.py"))).start(
            str(root)
        )
        done.append(finish(process))
        kept.append({path.name: path.read_bytes() for path in (root / "demo-out").iterdir()})
    return Demo(root=root, first=done[0], second=done[1], caught=kept[0], still_caught=kept[1])


@pytest.fixture(scope="session")
def parsed(demo: Demo) -> dict[str, EmailMessage]:
    """The demo's messages by recipient, as the standard library reads them."""
    return {name.removesuffix(".eml"): parse(data) for name, data in demo.caught.items()}


@pytest.fixture(scope="module")
def axe(requires: Callable[[str], Path]) -> str:
    """The script of axe-core."""
    requires("npm")
    try:
        return (fetched("axe-core", VERSION) / "axe.min.js").read_text("utf-8")
    except CannotFetch as error:
        pytest.skip(f"axe-core {VERSION} cannot be had: {error}")


@pytest.fixture
def arrived(mail: Mail) -> Callable[..., EmailMessage]:
    """`arrived(address, number=2)`: the second mail to an address, waited for."""

    def wait(address: str, *, number: int = 1) -> EmailMessage:
        path = mail.folder / f"{address}{f'-{number}' if number > 1 else ''}.eml"
        until = time.monotonic() + PATIENCE
        while not path.exists() or not path.read_bytes().endswith(b"--\r\n"):
            assert time.monotonic() < until, f"no mail to {address}"
            time.sleep(0.05)
        return parse(path.read_bytes())

    return wait
