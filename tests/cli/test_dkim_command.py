from __future__ import annotations

import re
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
import yaml

Run = Callable[..., "subprocess.CompletedProcess[str]"]

RECORD = re.compile(r"^(\S+)\. IN TXT \(\n((?:  \".*\"\n)+)\)$", re.MULTILINE)


def record_in(output: str) -> tuple[str, str]:
    """Name and value of the TXT record that a zone file would get."""
    found = RECORD.search(output)
    assert found is not None, output
    strings = re.findall(r'"(.*)"', found[2])
    assert all(len(string) <= 255 for string in strings)
    return found[1], "".join(strings)


def configure(root: Path, output: str) -> None:
    """Do with newsletter.yaml what the command says."""
    lines = output.partition("newsletter.yaml:\n\n")[2]
    with (root / "newsletter.yaml").open("a") as stream:
        stream.write(("\n" if lines.startswith("dkim:") else "") + lines)


class TestNew:
    def test_writes_a_key_that_only_its_owner_can_read(self, run: Run, publication: Path) -> None:
        before = f"{datetime.now(UTC):%Y%m}"
        result = run("dkim", "new", cwd=publication)
        after = f"{datetime.now(UTC):%Y%m}"
        assert result.returncode == 0
        (path,) = (publication / ".newsletter" / "dkim").iterdir()
        assert path.name in (f"rsa-{before}.pem", f"rsa-{after}.pem")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert f".newsletter/dkim/{path.name}" in result.stdout.splitlines()[0]
        assert "PRIVATE" not in result.stdout

    def test_prints_the_record_of_an_rsa_key(self, call: Run, publication: Path) -> None:
        name, value = record_in(call("dkim", "new", "--selector", "s1", cwd=publication).stdout)
        assert name == "s1._domainkey.example.org"
        assert re.fullmatch(r"v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{390,}=*", value)

    def test_prints_the_record_of_an_ed25519_key(self, call: Run, publication: Path) -> None:
        result = call("dkim", "new", "--type", "ed25519", cwd=publication)
        name, value = record_in(result.stdout)
        assert name.startswith("ed25519-20")
        assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", value)

    @pytest.mark.parametrize("file", [None, "keys/weekly key.pem", "0123", "~/k.pem", "yes"])
    def test_prints_lines_that_newsletter_yaml_takes(
        self, call: Run, publication: Path, tmp_path: Path, file: str | None
    ) -> None:
        home = {"HOME": str(tmp_path / "home")}
        words = ["--out", file] if file else []
        result = call("dkim", "new", "--selector", "2026", *words, cwd=publication, env=home)
        assert result.returncode == 0
        configure(publication, result.stdout)
        text = (publication / "newsletter.yaml").read_text()
        expected = {"selector": "2026"} | ({"file": file} if file else {})
        assert yaml.safe_load(text)["dkim"] == {"keys": [expected]}
        assert call("send", "1", "--dry-run", cwd=publication, env=home).returncode == 0

    def test_says_where_a_second_key_goes(self, call: Run, publication: Path) -> None:
        first = call("dkim", "new", "--selector", "a", cwd=publication)
        configure(publication, first.stdout)
        second = call("dkim", "new", "--selector", "b", "--type", "ed25519", cwd=publication)
        assert "add this to dkim.keys in newsletter.yaml:" in second.stdout
        configure(publication, second.stdout)
        text = (publication / "newsletter.yaml").read_text()
        assert yaml.safe_load(text)["dkim"] == {"keys": [{"selector": "a"}, {"selector": "b"}]}

    def test_publishes_under_the_domain_that_signs(self, call: Run, publication: Path) -> None:
        with (publication / "newsletter.yaml").open("a") as stream:
            stream.write("\ndkim:\n  domain: mail.example.org\n  keys:\n    - selector: old\n")
        result = call("dkim", "new", "--selector", "new", cwd=publication)
        assert record_in(result.stdout)[0] == "new._domainkey.mail.example.org"

    def test_never_overwrites_a_key(self, call: Run, publication: Path) -> None:
        call("dkim", "new", "--selector", "a", cwd=publication)
        key = (publication / ".newsletter/dkim/a.pem").read_bytes()
        again = call("dkim", "new", "--selector", "a", cwd=publication)
        assert again.returncode == 2
        assert again.stdout == ""
        assert again.stderr == (
            "error: .newsletter/dkim/a.pem exists already, and a key is never overwritten;"
            " choose another --selector\n"
        )
        assert (publication / ".newsletter/dkim/a.pem").read_bytes() == key

    @pytest.mark.parametrize("selector", ["", "a b", "a_b", "-a", "a.", "../../a", "a" * 64, "选"])
    def test_refuses_a_selector_that_the_dns_has_not(
        self, call: Run, publication: Path, selector: str
    ) -> None:
        result = call("dkim", "new", "--selector", selector, cwd=publication)
        assert result.returncode == 2
        assert "letters, digits, hyphens and dots only" in result.stderr
        assert not (publication / ".newsletter").exists()

    def test_needs_a_publication(self, call: Run, tmp_path: Path) -> None:
        result = call("dkim", "new", cwd=tmp_path)
        assert result.returncode == 2
        assert result.stderr.startswith("error: there is no newsletter.yaml")

    def test_without_cryptography_says_what_to_install(
        self, run: Run, publication: Path, tmp_path: Path
    ) -> None:
        # A package of that name which cannot be imported, before the real one on the path.
        (tmp_path / "broken" / "cryptography").mkdir(parents=True)
        (tmp_path / "broken" / "cryptography" / "__init__.py").write_text("raise ImportError\n")
        env = {"PYTHONPATH": str(tmp_path / "broken")}
        result = run("dkim", "new", cwd=publication, env=env)
        assert result.returncode == 2
        assert result.stderr == (
            'error: signing needs the package `cryptography`: pip install "newsletter[dkim]"\n'
        )
        assert not (publication / ".newsletter").exists()


class TestSigning:
    def test_with_new_keys_is_verified_by_their_records(self, run: Run, publication: Path) -> None:
        records = {}
        for kind in ("rsa", "ed25519"):
            result = run("dkim", "new", "--type", kind, cwd=publication)
            configure(publication, result.stdout)
            name, value = record_in(result.stdout)
            records[f"{name}.".encode()] = value.encode()
        kept = publication / "kept"
        result = run("send", "1", "--dry-run", "--out", str(kept), cwd=publication)
        assert result.returncode == 0, result.stderr
        messages = [dkim.DKIM(path.read_bytes()) for path in kept.iterdir()]
        assert messages
        for message in messages:
            for index in range(2):
                assert message.verify(idx=index, dnsfunc=lambda name, timeout=5: records[name])

    def test_without_its_key_is_refused_and_looking_is_not(
        self, call: Run, publication: Path
    ) -> None:
        with (publication / "newsletter.yaml").open("a") as stream:
            stream.write("\ndkim:\n  keys:\n    - selector: lost\n")
        result = call("send", "1", "--dry-run", cwd=publication)
        assert result.returncode == 2
        assert result.stderr.startswith("error: .newsletter/dkim/lost.pem: the DKIM key cannot")
        assert call("render", "1", cwd=publication).returncode == 0

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ("dkim:\n  keys: []\n", "keys"),
            ("dkim: {}\n", "keys"),
            ("dkim:\n  keys:\n    - selector: a b\n", "selector"),
            ("dkim:\n  keys:\n    - selector: a\n    - selector: A\n", "a selector of their own"),
            ("dkim:\n  domain: not a domain\n  keys:\n    - selector: a\n", "must be a domain"),
            ("dkim:\n  domain: a@example.org\n  keys:\n    - selector: a\n", "must be a domain"),
            ("bounce_address: bounces\n", "bounce_address"),
            (f"bounce_address: {'b' * 24}@example.org\n", "at most 23 ASCII characters"),
            ("bounce_address: 退信@example.org\n", "at most 23 ASCII characters"),
        ],
    )
    def test_wrong_settings_are_told_with_their_line(
        self, call: Run, publication: Path, lines: str, words: str
    ) -> None:
        path = publication / "newsletter.yaml"
        count = len(path.read_text().splitlines())
        path.write_text(f"{path.read_text()}{lines}")
        result = call("list", cwd=publication)
        assert result.returncode == 2
        told = re.match(r"newsletter\.yaml:(\d+):\d+: (.*)", result.stderr)
        assert told is not None, result.stderr
        assert int(told[1]) > count
        assert words in result.stderr


def test_help_does_not_import_cryptography() -> None:
    code = (
        "import sys; from newsletter.cli import main; main(['dkim', 'new', '--help']);"
        "print([name for name in sys.modules if name.startswith('cryptography')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
