"""Postfix's own load generator and fault injector as the relay; the scripted server of tests/transport serves too."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from smtp_sink import SmtpSink, running_smtp_sink

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "transport"))

StartSink = Callable[..., SmtpSink]


@pytest.fixture
def start_sink(requires: Callable[[str], Path], tmp_path: Path) -> Iterator[StartSink]:
    """`start_sink("-f", "MAIL")`: a running smtp-sink with these options, which ends with the test."""
    program = requires("smtp-sink")
    with ExitStack() as stack:

        def start(*options: str) -> SmtpSink:
            folder = tmp_path / "received"
            return stack.enter_context(running_smtp_sink(program, folder, *options))

        yield start
