from __future__ import annotations

import base64
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from signed import MONDAY, key_of, publication, subscriber, verdicts

from newsletter.composing.signing import (
    Signer,
    new_key,
    parse_key,
    public_record,
    signing_key,
    write_key,
)
from newsletter.errors import ConfigError
from newsletter.mail.dkim import Algorithm, Digester, relaxed_field
from newsletter.mailing import Mailing
from newsletter.project import Project
from newsletter.scaffold import start_publication

# RFC 8463 appendix A: the key, the message and its signature.
RFC_SEED = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
RFC_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RFC_BODY_HASH = b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
RFC_SIGNATURE = (
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
)
RFC_FIELD = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    b" d=football.example.com; i=@football.example.com;\r\n"
    b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    b" subject : date : message-id : from : subject : date;\r\n"
    b" bh=" + RFC_BODY_HASH + b";\r\n b=\r\n"
)
RFC_HEADER = (
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
)
RFC_BODY = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"

Requires = Callable[[str], Path]


def pem(key: Any, *, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    data: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return data


def keyed(*keys: dict[str, str], **dkim: Any) -> Any:
    return publication(dkim={"keys": list(keys), **dkim})


def put(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)


class TestRfc8463:
    def test_the_example_has_the_signature_of_the_rfc(self) -> None:
        message = RFC_HEADER + b"\r\n" + RFC_BODY
        assert Digester(message).digest(message).body_hash == RFC_BODY_HASH
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(RFC_SEED))
        ours = signing_key(key, domain="football.example.com", selector="brisbane")
        fields = b"".join(map(relaxed_field, RFC_HEADER.splitlines(keepends=True)))
        signature = ours.sign(fields + relaxed_field(RFC_FIELD).removesuffix(b"\r\n"))
        assert base64.b64encode(signature).decode() == RFC_SIGNATURE

    def test_the_example_has_the_record_of_the_rfc(self) -> None:
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(RFC_SEED))
        assert public_record(key) == f"v=DKIM1; k=ed25519; p={RFC_PUBLIC}"


class TestKeys:
    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_sign_the_same_octets_the_same_way(self, algorithm: Algorithm) -> None:
        key = signing_key(key_of(algorithm), domain="example.org", selector="s")
        assert key.sign(b"octets") == key.sign(b"octets") != key.sign(b"octet")
        assert key.tags.algorithm is algorithm

    def test_never_show_themselves(self) -> None:
        key = signing_key(key_of(Algorithm.ED25519), domain="example.org", selector="s")
        assert repr(key) == f"SigningKey(tags={key.tags!r})"

    def test_of_rsa_have_2048_bits(self) -> None:
        key = key_of(Algorithm.RSA)
        assert isinstance(key, RSAPrivateKey)
        assert key.key_size == 2048

    def test_are_new_every_time(self) -> None:
        assert len({public_record(new_key(Algorithm.ED25519)) for _ in range(20)}) == 20

    def test_of_rsa_are_published_as_a_whole_public_key(self) -> None:
        kind, data = re.fullmatch(
            r"v=DKIM1; k=(\w+); p=([A-Za-z0-9+/=]+)", public_record(key_of(Algorithm.RSA))
        ).groups()  # type: ignore[union-attr]
        public = load_der_public_key(base64.b64decode(data))
        assert kind == "rsa"
        assert public == key_of(Algorithm.RSA).public_key()


class TestParseKey:
    @pytest.mark.parametrize("algorithm", Algorithm)
    def test_reads_what_was_made(self, algorithm: Algorithm) -> None:
        key = key_of(algorithm)
        assert public_record(parse_key(pem(key), where="k.pem")) == public_record(key)

    def test_reads_the_traditional_form(self) -> None:
        key = key_of(Algorithm.RSA)
        data = pem(key, form=PrivateFormat.TraditionalOpenSSL)
        assert data.startswith(b"-----BEGIN RSA PRIVATE KEY")
        assert public_record(parse_key(data, where="k.pem")) == public_record(key)

    @pytest.mark.parametrize("data", [b"", b"secret words", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
    def test_refuses_what_is_no_key_without_showing_it(self, data: bytes) -> None:
        with pytest.raises(ConfigError) as caught:
            parse_key(data, where="keys/k.pem")
        assert str(caught.value) == "keys/k.pem: not a private key in PEM without a passphrase"

    def test_refuses_a_passphrase(self) -> None:
        data = key_of(Algorithm.ED25519).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"words")
        )
        with pytest.raises(ConfigError, match="without a passphrase"):
            parse_key(data, where="k.pem")

    def test_refuses_a_public_key(self, requires: Requires) -> None:
        public = subprocess.run(
            [requires("openssl"), "pkey", "-pubout"],
            input=pem(key_of(Algorithm.ED25519)),
            capture_output=True,
            check=True,
        ).stdout
        with pytest.raises(ConfigError, match="not a private key"):
            parse_key(public, where="k.pem")

    def test_refuses_other_kinds(self) -> None:
        with pytest.raises(ConfigError, match="RSA and Ed25519 keys only"):
            parse_key(pem(ec.generate_private_key(ec.SECP256R1())), where="k.pem")

    def test_refuses_short_keys(self, requires: Requires) -> None:
        made = subprocess.run(
            [requires("openssl"), "genrsa", "768"], capture_output=True, check=True
        )
        with pytest.raises(ConfigError, match=r"k\.pem: an RSA key of 768 bits; .* best 2048"):
            parse_key(made.stdout, where="k.pem")


class TestWriteKey:
    def test_makes_private_folders_and_a_file_for_its_owner(self, tmp_path: Path) -> None:
        path = tmp_path / "state" / "dkim" / "k.pem"
        write_key(key_of(Algorithm.ED25519), path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
        record = public_record(parse_key(path.read_bytes(), where="k.pem"))
        assert record == public_record(key_of(Algorithm.ED25519))

    def test_never_overwrites(self, tmp_path: Path) -> None:
        path = tmp_path / "k.pem"
        path.write_text("the only copy")
        with pytest.raises(FileExistsError):
            write_key(key_of(Algorithm.ED25519), path)
        assert path.read_text() == "the only copy"


class TestSigner:
    def test_is_none_where_the_relay_signs(self, tmp_path: Path) -> None:
        assert Signer.load(publication(), root=tmp_path) is None

    def test_has_the_keys_of_newsletter_yaml_in_their_order(self, tmp_path: Path) -> None:
        put(tmp_path / ".newsletter/dkim/a.pem", pem(key_of(Algorithm.RSA)))
        put(tmp_path / "keys/other.pem", pem(key_of(Algorithm.ED25519)))
        wanted = keyed({"selector": "a"}, {"selector": "b", "file": "keys/other.pem"})
        loaded = Signer.load(wanted, root=tmp_path)
        assert loaded is not None
        assert [(key.tags.selector, key.tags.algorithm) for key in loaded.keys] == [
            ("a", Algorithm.RSA),
            ("b", Algorithm.ED25519),
        ]

    def test_takes_the_domain_of_the_from_address_or_the_one_that_is_named(
        self, tmp_path: Path
    ) -> None:
        put(tmp_path / "k.pem", pem(key_of(Algorithm.ED25519)))
        key = {"selector": "k", "file": str(tmp_path / "k.pem")}
        for wanted, domain in (
            (keyed(key), "example.org"),
            (keyed(key, domain="Mail.Example.org"), "mail.example.org"),
            (keyed(key, domain="例子.example"), "xn--fsqu00a.example"),
        ):
            loaded = Signer.load(wanted, root=tmp_path)
            assert loaded is not None
            assert [one.tags.domain for one in loaded.keys] == [domain]

    def test_tells_of_a_key_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            Signer.load(keyed({"selector": "k"}), root=tmp_path)
        assert str(caught.value) == (
            ".newsletter/dkim/k.pem: the DKIM key cannot be read: No such file or directory"
            " (`newsletter dkim new` makes one; each machine that sends needs a copy)"
        )

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
    def test_refuses_a_key_that_others_can_reach(self, tmp_path: Path, mode: int) -> None:
        put(tmp_path / "k.pem", pem(key_of(Algorithm.ED25519)), mode=mode)
        with pytest.raises(ConfigError, match=r"^k\.pem: others .* run: chmod 600 k\.pem$"):
            Signer.load(keyed({"selector": "k", "file": "k.pem"}), root=tmp_path)

    def test_says_which_package_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path / "k.pem", pem(key_of(Algorithm.ED25519)))
        # An entry of None is how the interpreter itself notes that there is no such module.
        monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.serialization", None)
        for attempt in (
            lambda: Signer.load(keyed({"selector": "k", "file": "k.pem"}), root=tmp_path),
            lambda: new_key(Algorithm.RSA),
        ):
            with pytest.raises(ConfigError, match=r'pip install "newsletter\[dkim\]"$'):
                attempt()


class TestWiring:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        root = tmp_path / "weekly"
        start_publication(root, first_date=MONDAY)
        put(root / ".newsletter/dkim/rsa.pem", pem(key_of(Algorithm.RSA)))
        with (root / "newsletter.yaml").open("a") as stream:
            stream.write("\ndkim:\n  keys:\n    - selector: rsa\nbounce_address: b@example.org\n")
        return root

    def test_a_mailing_signs_what_it_sends(self, root: Path) -> None:
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        message = Mailing(project, project.issue(1)).message(subscriber())
        assert verdicts(message.data) == [True]
        assert re.fullmatch(r"b\+[a-z2-7]{40}@example\.org", message.envelope.reverse_path)

    def test_a_mailing_to_look_at_needs_no_key(self, root: Path) -> None:
        (root / ".newsletter/dkim/rsa.pem").unlink()
        project = Project.open(root, environ={"NEWSLETTER_SECRET": "sixteen letters!"})
        message = Mailing(project, project.issue(1), signed=False).message(subscriber())
        assert verdicts(message.data) == []
        with pytest.raises(ConfigError, match=r"dkim/rsa\.pem: the DKIM key cannot be read"):
            Mailing(project, project.issue(1)).message(subscriber())

    def test_nothing_of_it_is_imported_without_a_key(self) -> None:
        code = (
            "import sys; import newsletter.mailing, newsletter.sending;"
            "from newsletter.composing import compose;"
            "print([m for m in sys.modules if m.split('.')[0] == 'cryptography'])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "[]\n"
