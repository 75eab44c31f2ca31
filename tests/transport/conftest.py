"""Certificates for conversations over TLS."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest


class Certificate(NamedTuple):
    """A self-signed certificate for `localhost`, and both sides' contexts."""

    file: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """What a server shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """What trusts it, and nothing else."""
        return ssl.create_default_context(cafile=str(self.file))


def _make(openssl: Path, folder: Path, *, name: str) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    command += ["-keyout", made.key, "-out", made.file]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture(scope="session")
def certificate(
    requires: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Certificate:
    """For `localhost`."""
    return _make(requires("openssl"), tmp_path_factory.mktemp("tls"), name="localhost")


@pytest.fixture(scope="session")
def strange_certificate(
    requires: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Certificate:
    """For another host."""
    return _make(requires("openssl"), tmp_path_factory.mktemp("tls"), name="elsewhere.example")
