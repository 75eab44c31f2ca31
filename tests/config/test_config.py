"""newsletter.yaml and the environment: what is read, what overrides, and what every mistake says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.config import Publication, load_publication
from newsletter.errors import ConfigError

GOOD = "name: 周刊\nfrom:\n  name: 周刊\n  address: weekly@example.org\n"
REPOSITORY = Path(__file__).resolve().parents[2]

Load = Callable[..., Publication]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """`load(text, NEWSLETTER_RELAY=…)` reads a newsletter.yaml with this text."""

    def write_and_load(text: str, **environ: str) -> Publication:
        (tmp_path / "newsletter.yaml").write_text(text, encoding="utf-8")
        return load_publication(tmp_path, environ=environ)

    return write_and_load


def heads(load: Load, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    assert caught.value.exit_code == 2
    return [str(problem).split("\n")[0] for problem in caught.value.problems]


def test_the_least_that_is_needed(load: Load) -> None:
    publication = load(GOOD)
    assert publication.sender.address == "weekly@example.org"
    assert publication.zone == ZoneInfo("Asia/Shanghai")
    assert publication.list_identifier == "weekly.example.org"
    assert publication.relay.url is None
    assert publication.send.connections == 4


def test_the_sample_publication_loads() -> None:
    assert load_publication(REPOSITORY, environ={}).name == "预训练周刊"


def test_everything_can_be_said(load: Load) -> None:
    publication = load(
        GOOD + "language: zh-Hans-CN\ntimezone: Europe/Berlin\npublisher: 某某\nbyline: 某组\n"
        "reply_to: Answers@Example.org\ncontact: c@例子.example\nlist_id: weekly.example.org\n"
        "subject: '{name}第{number:03}期：{title}'\naudience: lists/all.csv\ntemplates: theme\n"
        "site_url: https://weekly.example.org/archive/\npublic_url: http://127.0.0.1:8000\n"
        "relay: {url: 'smtp://localhost:2525', password_file: secret}\n"
        "send: {connections: 8}\ntext: {wrap: 72}\nmasthead: assets/m.png\n"
        "extra: {list: [1, {a: true}], code: 007}\n"
    )
    assert publication.reply_to == "Answers@example.org"
    assert publication.contact == "c@xn--fsqu00a.example"
    assert publication.subject.format(name="周刊", number=7, title="题") == "周刊第007期：题"
    assert publication.site_url == "https://weekly.example.org/archive"
    assert publication.relay.url == "smtp://localhost:2525"
    assert publication.extra == {"list": [1, {"a": True}], "code": "007"}


def test_no_newsletter_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_publication(tmp_path, environ={})
    message = str(caught.value)
    assert message.startswith("there is no newsletter.yaml in ")
    assert "`newsletter init` makes one" in message
    assert caught.value.exit_code == 2


def test_all_mistakes_at_once_with_file_line_and_variable(load: Load) -> None:
    text = (
        "nmae: x\nfrom: {name: x, address: nobody}\ntimezone: Mars/Base\nsend: {connections: 0}\n"
    )
    found = heads(load, text, NEWSLETTER_SITE_URL="weekly.example.org")
    # The words about the address are email-validator's.
    assert [re.sub(r"(`address`: ).*", r"\1…", head) for head in found] == [
        "newsletter.yaml:1:1: `name` is missing",
        "newsletter.yaml:1:1: `nmae` is not a field of newsletter.yaml (did you mean `name`?)",
        "newsletter.yaml:2:26: `address`: …",
        "newsletter.yaml:3:11: `timezone` is not an IANA time zone such as Asia/Shanghai",
        "newsletter.yaml:4:21: `connections` must be at least 1, not 0",
        (
            "NEWSLETTER_SITE_URL in the environment must be a web address such as "
            "https://weekly.example.org"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("language: 中文", "`language` has a form that is not allowed"),
        ("timezone: America", "`timezone` is not an IANA time zone"),
        ("timezone: ../etc/passwd", "`timezone` is not an IANA time zone"),
        ("timezone: ''", "`timezone` is not an IANA time zone"),
        ("list_id: has spaces", "`list_id` has a form that is not allowed"),
        ("site_url: ftp://example.org", "`site_url` must be a web address"),
        ("site_url: 'https://'", "`site_url` must be a web address"),
        ("site_url: 'https://['", "`site_url` must be a web address"),
        ("site_url: 'https://example.org:99999'", "`site_url` must be a web address"),
        ("site_url: https://a b.example", "`site_url` must be a web address"),
        ("public_url: https://example.org/?a=b", "`public_url` must not have a query"),
        ("public_url: https://example.org/#a", "`public_url` must not have a query"),
        ("contact: a@b@c", "`contact`: "),
        ("reply_to: 'a@example.org, b@example.org'", "`reply_to`: "),
        ("subject: '{title} {issue}'", "`subject` may use {name}, {number}"),
        ("subject: '{name.__class__}'", "`subject` may use {name}, {number}"),
        ("subject: '{name[0]}'", "`subject` may use {name}, {number}"),
        ("subject: '{number:999999999}'", "`subject` may use {name}, {number}"),
        ("subject: '{title:03}'", "`subject` may use {name}, {number}"),
        ("subject: '{title!r}'", "`subject` may use {name}, {number}"),
        ("subject: '{}'", "`subject` may use {name}, {number}"),
        ("subject: '{title'", "`subject` has a `{` or `}` without its partner"),
        ("audience: ../subscribers.csv", "`audience` must be a path inside this folder"),
        ("audience: /etc/passwd", "`audience` must be a path inside this folder"),
        (r"audience: a\b.csv", "`audience` must be a path inside this folder"),
        ("templates: a/../../b", "`templates` must be a path inside this folder"),
        ("masthead: ../m.png", "`masthead` must be a path inside this folder"),
        ("relay: smtp://localhost", "`relay` must be a block of fields"),
        ("relay: {password: secret}", "`password` is not a field of relay"),
        ("send: {connections: true}", "`connections` must be a whole number, not true"),
        ("send: {connections: many}", "`connections` must be a whole number"),
        ("text: {wrap: -1}", "`wrap` must be at least 0, not -1"),
        ("extra: words", "`extra` must be a block of fields"),
        ("name: other", "`name` is given twice"),
        ("publisher: !secret x", "tag `!secret` is not allowed"),
    ],
)
def test_each_wrong_line_is_named(load: Load, line: str, message: str) -> None:
    (head,) = heads(load, GOOD + line + "\n")
    assert head.startswith("newsletter.yaml:5:")
    assert message in head


@pytest.mark.parametrize("value", [r"a\nBcc: x", r"a\rb", r"a\tb", r"a\x7Fb", r"a\0b"])
def test_names_are_one_line(load: Load, value: str) -> None:
    (head, *_) = heads(load, GOOD.replace("name: 周刊\nfrom", f'name: "{value}"\nfrom'))
    assert head.startswith("newsletter.yaml:1:7: ")


def test_a_name_of_spaces_only_is_empty(load: Load) -> None:
    (head,) = heads(load, GOOD.replace("name: 周刊\nfrom", "name: '  '\nfrom"))
    assert head == "newsletter.yaml:1:7: `name` must not be empty"


def test_block_text_may_stand_where_one_line_is_wanted(load: Load) -> None:
    assert load(GOOD + "description: >-\n  一句话。\n").description == "一句话。"
    assert load(GOOD + "description: |\n  一句话。\n").description == "一句话。"


def test_broken_yaml_has_its_place(load: Load) -> None:
    (head,) = heads(load, "name: a: b\n")
    assert head.startswith("newsletter.yaml:1:8: a value that contains `: ` must stand in quotes")


@pytest.mark.parametrize(
    "data", [b"", b"# nothing\n", "name: 周".encode("gbk"), b"\xff\xfe", b"a\0"]
)
def test_files_that_hold_no_settings(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "newsletter.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_publication(tmp_path, environ={})
    assert str(caught.value).startswith("newsletter.yaml:1:")


def test_a_newsletter_yaml_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "newsletter.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"^newsletter\.yaml: is "):
        load_publication(tmp_path, environ={})


def test_the_environment_overrides_the_file(load: Load) -> None:
    text = GOOD + (
        "site_url: https://file.example\npublic_url: https://file.example\n"
        "relay: {url: smtp://file.example, password_file: secret}\n"
    )
    publication = load(
        text,
        NEWSLETTER_RELAY=" smtp://env.example:25 ",
        NEWSLETTER_SITE_URL="https://site.example/",
        NEWSLETTER_PUBLIC_URL="https://public.example/n/",
        NEWSLETTER_SECRET="not for us",
    )
    assert publication.relay.url == "smtp://env.example:25"
    assert publication.relay.password_file == Path("secret")
    assert publication.site_url == "https://site.example"
    assert publication.public_url == "https://public.example/n"


def test_empty_variables_count_as_unset(load: Load) -> None:
    publication = load(
        GOOD + "site_url: https://file.example\n", NEWSLETTER_SITE_URL="", NEWSLETTER_RELAY="  "
    )
    assert publication.site_url == "https://file.example"
    assert publication.relay.url is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NEWSLETTER_RELAY", "smtp://a\r\nb"),
        ("NEWSLETTER_SITE_URL", "https://a.example/?x"),
        ("NEWSLETTER_PUBLIC_URL", "javascript:alert(1)"),
    ],
)
def test_a_wrong_variable_is_named(load: Load, variable: str, value: str) -> None:
    (head,) = heads(load, GOOD, **{variable: value})
    assert head.startswith(f"{variable} in the environment must ")


def test_a_publication_cannot_be_changed(load: Load) -> None:
    publication = load(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        publication.name = "x"  # type: ignore[misc]


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: (GOOD + text).encode()))
def test_any_bytes_are_settings_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "newsletter.yaml").write_bytes(data)
    try:
        load_publication(root, environ={})
    except ConfigError as error:
        problems = error.problems
    else:
        return
    assert problems
