"""A small publication, its endpoint in this process, and a mail server that is not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import catcher
import pytest
from web_stage import CONFIG, Clock, Endpoint, person

from newsletter.membership import Membership


@pytest.fixture(scope="session")
def caught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mail server keeps what it gets."""
    return tmp_path_factory.mktemp("caught")


@pytest.fixture(scope="session")
def relay(caught: Path) -> Iterator[str]:
    """A mail server for all of these tests; each writes to addresses of its own."""
    with catcher.running(caught) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serving(tmp_path: Path, relay: str, clock: Clock) -> Iterator[Callable[..., Endpoint]]:
    """`serving(config)`: an endpoint that runs, with Anna on its list where the database is the list."""
    with ExitStack() as stack:

        def start(config: str = CONFIG, **environ: str) -> Endpoint:
            root = tmp_path / "weekly"
            root.mkdir(exist_ok=True)
            (root / "newsletter.yaml").write_text(config, "utf-8")
            endpoint = Endpoint(root, clock=clock, **{"relay": relay, **environ})
            if endpoint.project.publication.keeps_list:
                endpoint.look(add_anna)
            return stack.enter_context(endpoint)

        yield start


@pytest.fixture
def endpoint(serving: Callable[..., Endpoint]) -> Endpoint:
    """The endpoint of the small publication."""
    return serving()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, relay: str) -> Iterator[Endpoint]:
    """One endpoint for all the tests of a file that may share it."""
    root = tmp_path_factory.mktemp("standing")
    (root / "newsletter.yaml").write_text(CONFIG, "utf-8")
    endpoint = Endpoint(root, relay=relay, clock=Clock())
    endpoint.look(add_anna)
    with endpoint:
        yield endpoint


def add_anna(membership: Membership) -> None:
    """The one subscriber."""
    membership.add(person("anna", name="Anna", tags=frozenset({"papers", "vip"})), source="a test")
