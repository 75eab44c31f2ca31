"""What mail services call: only what is signed as it should be changes anything, and that once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from web_stage import Answer, Clock, Endpoint, person

from newsletter.errors import ConfigError
from newsletter.web.app import create_app

TOPIC = "arn:aws:sns:eu-west-1:123456789012:bounces"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0a1b2c.pem"
MAILGUN_KEY = "key-of-these-tests"
PASSWORD = "a password"
SECRETS = {"NEWSLETTER_MAILGUN_KEY": MAILGUN_KEY, "NEWSLETTER_POSTMARK_PASSWORD": PASSWORD}
CONFIG = """\
name: Small Weekly
from: {name: Small Weekly, address: weekly@example.org}
public_url: https://weekly.example.org
audience: database
signup: {open: false}
"""
HOOKS = """\
webhooks:
  ses: {topics: ["%s"]}
  sendgrid: {public_key: "%s"}
  mailgun: {}
  postmark: {}
"""
NAMES = ("ses", "sendgrid", "mailgun", "postmark")


@dataclass
class Keys:
    """Keys and a certificate, made and used by openssl."""

    folder: Path

    def openssl(self, *words: str, data: bytes = b"") -> bytes:
        done = subprocess.run(
            ["openssl", *words], cwd=self.folder, input=data, capture_output=True, check=True
        )
        return done.stdout

    def make(self) -> None:
        subject = ("-subj", "/CN=sns.amazonaws.com", "-days", "3650", "-nodes")
        self.openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-keyout", "rsa.pem", "-out", "cert.pem"),
            *subject,
        )
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.pem")

    @property
    def certificate(self) -> bytes:
        return (self.folder / "cert.pem").read_bytes()

    @property
    def public_key(self) -> str:
        der = self.openssl("ec", "-in", "ec.pem", "-pubout", "-outform", "DER")
        return base64.b64encode(der).decode()

    def sign(self, key: str, digest: str, data: bytes) -> str:
        signature = self.openssl("dgst", f"-{digest}", "-sign", key, data=data)
        return base64.b64encode(signature).decode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    made = Keys(tmp_path_factory.mktemp("keys"))
    made.make()
    return made


@dataclass
class Web:
    """The rest of the web, as far as the endpoint asks it."""

    pages: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def __call__(self, url: str) -> bytes:
        self.asked.append(url)
        try:
            return self.pages[url]
        except KeyError:
            raise OSError(0, "no such page") from None


@dataclass
class Services:
    """The endpoint, and the four services that call it."""

    endpoint: Endpoint
    keys: Keys
    web: Web

    def call(self, name: str, body: Any, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = [(key.replace("_", "-"), value) for key, value in headers.items()]
        return self.endpoint.ask("POST", f"/webhooks/{name}", chunks=[data], headers=fields)

    def sns(self, kind: str = "Notification", *, version: str = "2", **more: str) -> dict[str, str]:
        """A signed message; `more` is in place before it is signed."""
        message = {
            "Type": kind,
            "MessageId": "8f2a",
            "TopicArn": TOPIC,
            "Message": json.dumps(SES),
            "Timestamp": stamp(self.endpoint.clock.now),
            "SignatureVersion": version,
            "SigningCertURL": CERTIFICATE,
            **more,
        }
        names = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token")
        lines = [f"{name}\n{message[name]}\n" for name in names if name in message]
        lines.append(f"TopicArn\n{message['TopicArn']}\nType\n{message['Type']}\n")
        digest = {"1": "sha1", "2": "sha256"}.get(version, "sha256")
        message["Signature"] = self.keys.sign("rsa.pem", digest, "".join(lines).encode())
        return message

    def ses(self, **more: str) -> Answer:
        return self.call("ses", self.sns(**more))

    def sendgrid(
        self, events: Any, *, at: float | None = None, key: str = "ec.pem", **headers: str
    ) -> Answer:
        body = json.dumps(events).encode()
        timestamp = str(int(self.endpoint.clock.now if at is None else at))
        signature = self.keys.sign(key, "sha256", timestamp.encode() + body)
        told = {
            "X_Twilio_Email_Event_Webhook_Signature": signature,
            "X_Twilio_Email_Event_Webhook_Timestamp": timestamp,
            **headers,
        }
        return self.call("sendgrid", body, **told)

    def mailgun(
        self, event: Any, *, token: str = "t1", at: float | None = None, key: str = MAILGUN_KEY
    ) -> Answer:
        timestamp = str(int(self.endpoint.clock.now if at is None else at))
        signed = hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
        signature = {"timestamp": timestamp, "token": token, "signature": signed.hexdigest()}
        return self.call("mailgun", {"signature": signature, "event-data": event})

    def postmark(self, body: Any, *, login: str = f"newsletter:{PASSWORD}") -> Answer:
        basic = base64.b64encode(login.encode()).decode()
        return self.call("postmark", body, Authorization=f"Basic {basic}")

    def genuine(self, name: str) -> Answer:
        """The same thing, that Anna has no mailbox, from any of them."""
        if name == "ses":
            return self.ses()
        body = {"sendgrid": [SENDGRID], "mailgun": MAILGUN, "postmark": POSTMARK}[name]
        send: Callable[[Any], Answer] = getattr(self, name)
        return send(body)

    def records(self) -> list[tuple[str, str, str]]:
        with closing(self.endpoint.project.returns()) as returns:
            return [
                (record.source, record.report.verdict.value, record.action.value)
                for _, record in returns.records()
            ]

    def why(self, name: str = "anna") -> str | None:
        def ask(membership: Any) -> str | None:
            who = membership.register.identify(f"{name}@example.org")
            stop = membership.register.suppression(who)
            return stop.reason if stop else None

        found: str | None = self.endpoint.look(ask)
        return found


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


SES = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "NoEmail",
        "feedbackId": "f1",
        "bouncedRecipients": [{"emailAddress": "anna@example.org", "status": "5.1.1"}],
    },
    "mail": {"source": "weekly@example.org"},
}
SENDGRID = {
    "event": "bounce",
    "type": "bounce",
    "email": "Anna@example.org",
    "reason": "550 5.1.1 unknown user",
    "sg_event_id": "s1",
}
MAILGUN = {
    "event": "failed",
    "id": "m1",
    "severity": "permanent",
    "recipient": "anna@example.org",
    "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
}
POSTMARK = {"RecordType": "Bounce", "ID": 5, "Type": "HardBounce", "Email": "anna@example.org"}
ONCE = "no such mailbox"


def serve(root: Path, keys: Keys) -> Services:
    web = Web({CERTIFICATE: keys.certificate})
    (root / "newsletter.yaml").write_text(CONFIG + HOOKS % (TOPIC, keys.public_key), "utf-8")
    clock = Clock()
    clock.now = float(int(time.time()))  # the certificate is valid from now on
    endpoint = Endpoint(root, relay="", clock=clock, **SECRETS)
    endpoint.app = create_app(root, environ=endpoint.environ, clock=clock, fetch=web)
    endpoint.look(lambda membership: membership.add(person("anna"), source="a test"))
    return Services(endpoint, keys, web)


@pytest.fixture
def services(tmp_path: Path, keys: Keys) -> Iterator[Services]:
    made = serve(tmp_path, keys)
    with made.endpoint:
        yield made


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Services]:
    """For calls that change nothing."""
    made = serve(tmp_path_factory.mktemp("standing"), keys)
    with made.endpoint:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_call_counts_once(services: Services, name: str) -> None:
    for _ in range(2):
        answer = services.genuine(name)
        assert (answer.status, answer.text) == (200, "taken\n")
    assert services.why() == ONCE
    assert services.records() == [(name, ONCE, "suppressed")]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_off_until_it_is_configured(tmp_path: Path, name: str) -> None:
    (tmp_path / "newsletter.yaml").write_text(CONFIG, "utf-8")
    with Endpoint(tmp_path, relay="", clock=Clock(), **SECRETS) as endpoint:
        assert endpoint.post(f"/webhooks/{name}", "{}").status == 404


@pytest.mark.parametrize("section", ["mailgun: {}", "postmark: {}", "sendgrid: {public_key: aGk=}"])
def test_what_is_missing_is_said_at_the_start(tmp_path: Path, section: str) -> None:
    config = f"{CONFIG}webhooks:\n  {section}\n"
    (tmp_path / "newsletter.yaml").write_text(config, "utf-8")
    with pytest.raises(ConfigError, match=r"webhooks\.(mailgun|postmark|sendgrid)"):
        Endpoint(tmp_path, relay="", clock=Clock())


REFUSED: list[tuple[str, Callable[[Services], Answer], int]] = [
    ("no body", lambda s: s.call("ses", b""), 400),
    ("no object", lambda s: s.call("ses", []), 403),
    ("no signature", lambda s: s.call("ses", {**s.sns(), "Signature": ""}), 403),
    ("no base64", lambda s: s.call("ses", {**s.sns(), "Signature": "?"}), 403),
    ("changed", lambda s: s.call("ses", {**s.sns(), "Message": "{}"}), 403),
    ("retyped", lambda s: s.call("ses", {**s.sns(), "Type": "SubscriptionConfirmation"}), 403),
    ("SHA-1 told as 2", lambda s: s.call("ses", {**s.sns(version="1"), "SignatureVersion": "2"}), 403),
    ("version 3", lambda s: s.ses(version="3"), 403),
    ("foreign topic", lambda s: s.ses(TopicArn=TOPIC.replace("bounces", "other")), 403),
    ("old", lambda s: s.ses(Timestamp=stamp(s.endpoint.clock.now - 26 * 3600)), 403),
    ("of the future", lambda s: s.ses(Timestamp=stamp(s.endpoint.clock.now + 3600)), 403),
    ("no time", lambda s: s.ses(Timestamp="yesterday"), 403),
    ("no JSON inside", lambda s: s.ses(Message="hello"), 400),
    ("http", lambda s: s.ses(SigningCertURL=CERTIFICATE.replace("https", "http")), 403),
    ("other host", lambda s: s.ses(SigningCertURL="https://sns.example.org/SimpleNotificationService-0.pem"), 403),
    ("longer host", lambda s: s.ses(SigningCertURL=CERTIFICATE.replace(".com/", ".com.example.org/")), 403),
    ("other region", lambda s: s.ses(SigningCertURL=CERTIFICATE.replace("eu-west-1", "us-east-1")), 403),
    ("a user", lambda s: s.ses(SigningCertURL=CERTIFICATE.replace("//", "//sns@")), 403),
    ("a port", lambda s: s.ses(SigningCertURL=CERTIFICATE.replace(".com/", ".com:444/")), 403),
    ("other path", lambda s: s.ses(SigningCertURL=f"{HOST}/a/../SimpleNotificationService-0.pem"), 403),
    ("broken address", lambda s: s.ses(SigningCertURL="https://[sns"), 403),
    ("no certificate", lambda s: s.ses(SigningCertURL=f"{HOST}/SimpleNotificationService-1.pem"), 503),
    ("no headers", lambda s: s.call("sendgrid", [SENDGRID]), 403),
    ("other key", lambda s: s.sendgrid([SENDGRID], key="rsa.pem"), 403),
    ("other time", lambda s: s.sendgrid([SENDGRID], X_Twilio_Email_Event_Webhook_Timestamp="1"), 403),
    ("old", lambda s: s.sendgrid([SENDGRID], at=s.endpoint.clock.now - 26 * 3600), 403),
    ("other key", lambda s: s.mailgun(MAILGUN, key="another"), 403),
    ("no token", lambda s: s.mailgun(MAILGUN, token=""), 403),
    ("old", lambda s: s.mailgun(MAILGUN, at=s.endpoint.clock.now - 26 * 3600), 403),
    ("nothing", lambda s: s.call("mailgun", {}), 403),
    ("deep", lambda s: s.call("mailgun", b"[" * 100_000), 400),
    ("no login", lambda s: s.call("postmark", POSTMARK), 401),
    ("wrong login", lambda s: s.postmark(POSTMARK, login="newsletter:wrong"), 401),
    ("wrong scheme", lambda s: s.call("postmark", POSTMARK, Authorization="Bearer x"), 401),
    ("broken login", lambda s: s.call("postmark", POSTMARK, Authorization="Basic \xe9"), 401),
    ("no JSON", lambda s: s.call("postmark", b"<", Authorization="Basic bmV3c2xldHRlcjphIHBhc3N3b3Jk"), 400),
    ("too large", lambda s: s.call("postmark", b" " * (1 << 20) + b" "), 413),
]  # fmt: skip


@pytest.mark.parametrize(("what", "call", "status"), REFUSED)
def test_what_is_not_genuine_changes_nothing(
    standing: Services, what: str, call: Callable[[Services], Answer], status: int
) -> None:
    answer = call(standing)
    assert answer.status == status, (what, answer.text)
    assert standing.records() == []
    assert set(standing.web.asked) <= {CERTIFICATE, f"{HOST}/SimpleNotificationService-1.pem"}


def test_a_login_is_asked_for(standing: Services) -> None:
    assert standing.call("postmark", POSTMARK).headers["www-authenticate"] == "Basic"


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_signatures(services: Services, version: str) -> None:
    assert (
        services.ses(version=version, Subject="Amazon SES Email Event Notification").status == 200
    )
    assert services.why() == ONCE
    assert services.ses(version=version).status == 200
    assert services.web.asked == [CERTIFICATE], "it is kept"


def test_a_certificate_that_is_no_longer_valid(services: Services) -> None:
    services.endpoint.clock.now += 11 * 365 * 86400
    assert services.ses().status == 403


def test_many_addresses_of_certificates_are_not_all_fetched(services: Services) -> None:
    told = [
        services.ses(SigningCertURL=f"{HOST}/SimpleNotificationService-f{number}.pem").status
        for number in range(15)
    ]
    assert told == [503] * 15
    assert len(services.web.asked) == 10


def test_a_topic_that_is_configured_is_confirmed(services: Services) -> None:
    address = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t"
    services.web.pages[address] = b"<ConfirmSubscriptionResponse/>"
    wish = {"kind": "SubscriptionConfirmation", "Token": "t"}
    assert services.ses(SubscribeURL=address, **wish).status == 200
    assert services.web.asked[-1] == address
    asked = len(services.web.asked)
    for wrong in (
        address.replace("eu-west-1.", "eu-west-2."),
        address.replace("Confirm", "Un"),
        address.replace("bounces", "other"),
        "http://169.254.169.254/latest/meta-data",
    ):
        assert services.ses(SubscribeURL=wrong, **wish).status == 403
    assert len(services.web.asked) == asked
    away = address.replace("Token=t", "Token=gone")
    assert services.ses(SubscribeURL=away, **wish).status == 503
    assert (
        services.ses(kind="UnsubscribeConfirmation", SubscribeURL=address, Token="t").status == 200
    )
    assert services.records() == []


def test_a_token_of_mailgun_is_good_for_one_event(services: Services) -> None:
    assert services.mailgun({**MAILGUN, "recipient": "stranger@example.org"}).status == 200
    assert services.mailgun({**MAILGUN, "id": "m2"}).status == 200
    assert services.why() is None
    assert services.mailgun(MAILGUN, token="t2").status == 200
    assert services.why() is None, "the same event again"
    assert services.mailgun({**MAILGUN, "id": "m3"}, token="t3").status == 200
    assert services.why() == ONCE


def test_people_of_other_lists_are_not_ours(services: Services) -> None:
    stranger = {**SENDGRID, "email": "stranger@example.org", "sg_event_id": "s2"}
    assert services.sendgrid([stranger, {}, None, SENDGRID]).status == 200
    assert services.why("stranger") is None
    assert services.why() == ONCE
    assert services.records() == [
        ("sendgrid", ONCE, "no proof"),
        ("sendgrid", ONCE, "suppressed"),
    ]


def test_a_database_that_is_away_is_for_later(services: Services) -> None:
    with closing(services.endpoint.project.register()) as register:
        register.connection.execute("DROP TABLE returned")  # type: ignore[attr-defined]
    answer = services.genuine("postmark")
    assert (answer.status, answer.headers["retry-after"]) == (503, "120")
    assert services.why() is None
