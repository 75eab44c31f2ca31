"""Bad lists: a bad row stops nobody else; a bad file stops everything, and says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from story import Desk, Finished, Mail, parse

Told = Callable[..., Finished]

BAD_ROWS = """\
email,name,status
good.one@example.com,林晓雨,active
no at sign,坏行,active
,没有地址,active
good.two@example.org,Ada,active
bad.status@example.org,坏状态,maybe
"""


def test_a_bad_row_is_named_and_the_others_get_their_mail(desk: Desk, mail: Mail) -> None:
    desk.write("subscribers.example.csv", BAD_ROWS)
    done = desk.run("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert mail.recipients() == ["good.one@example.com", "good.two@example.org"]
    for row in (3, 4, 6):
        assert f"subscribers.example.csv:{row}: " in done.err
    assert "no at sign" in done.err
    assert "maybe" in done.err


def test_the_dry_run_says_the_same(desk: Desk, told: Told) -> None:
    desk.write("subscribers.example.csv", BAD_ROWS)
    done = told("send", "64", "--dry-run")
    assert done.code == 1
    assert "2 messages built" in done.out
    assert done.err.count("subscribers.example.csv:") == 3


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"mail,name\na@example.org,A\n", "email"),
        (b"", "empty"),
        ("email,name\na@example.org,林\n".encode("gb18030"), "UTF-8"),
        (b"email,name\n", "subscriber"),
        (b"email,name\na@example.org,A\x00B\n", "subscribers.example.csv:2: there is a NUL byte"),
        (b"email,name,email\na@example.org,A,b@example.org\n", "email"),
    ],
    ids=["no email column", "empty", "not UTF-8", "no rows", "NUL bytes", "a column twice"],
)
def test_a_list_that_cannot_be_used_says_so(
    desk: Desk, told: Told, mail: Mail, content: bytes, word: str
) -> None:
    desk.write("subscribers.example.csv", content)
    done = told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert "subscribers.example.csv" in done.err
    assert word in done.err
    assert mail.recipients() == []


def test_a_list_that_is_not_there(desk: Desk, told: Told, mail: Mail) -> None:
    (desk.root / "subscribers.example.csv").unlink()
    done = told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code == 1
    assert "subscribers.example.csv" in done.err


@pytest.mark.parametrize(
    "content",
    [
        "email;name;所在城市\na@example.org;甲;北京\n",
        "email\tname\t所在城市\na@example.org\t甲\t北京\n",
        "\ufeffemail,name,所在城市\r\na@example.org,甲,北京\r\n",
    ],
    ids=["semicolons", "tabs", "as Excel saves it"],
)
def test_lists_as_spreadsheets_save_them(desk: Desk, told: Told, mail: Mail, content: str) -> None:
    desk.write("subscribers.example.csv", content)
    assert told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url).code == 0
    assert mail.recipients() == ["a@example.org"]


@pytest.mark.parametrize(
    "name",
    [
        '"evil\r\nBcc: victim@example.net"',
        '"evil\nBcc: victim@example.net"',
        '"=?utf-8?q?a=0D=0ABcc:_victim@example.net?="',
        '"a"" <victim@example.net>, ""b"',
        '"林\u2028Bcc: victim@example.net"',
    ],
)
def test_a_name_never_becomes_a_header(desk: Desk, told: Told, mail: Mail, name: str) -> None:
    rows = f"email,name\ngood@example.org,Ada\na@example.org,{name}\n"
    desk.write("subscribers.example.csv", rows)
    done = told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    for data in mail.messages().values():
        message = parse(data)
        assert message["Bcc"] is None
        assert len(message["To"].addresses) == 1
    # A name that is no name may also be refused, with its row; the other reader gets his mail all the same.
    if done.code:
        assert mail.recipients() == ["good@example.org"]
        assert "subscribers.example.csv:3: " in done.err
    else:
        assert mail.recipients() == ["a@example.org", "good@example.org"]


@pytest.mark.parametrize(
    "title",
    [
        '"a\\r\\nBcc: victim@example.net"',
        '"=?utf-8?q?a=0D=0ABcc:_victim@example.net?="',
        '"a\\0b"',
    ],
)
def test_a_subject_never_becomes_a_header(desk: Desk, told: Told, mail: Mail, title: str) -> None:
    desk.edit(
        "content/064.yaml", "title: 微调新范式：组合、噪音、指令、自我改进等", f"title: {title}"
    )
    done = told("send", "64", "--yes", NEWSLETTER_RELAY=mail.url)
    assert done.code in (0, 1)
    assert bool(mail.recipients()) is (done.code == 0)
    for data in mail.messages().values():
        message = parse(data)
        assert message["Bcc"] is None
        assert len(message.get_all("Subject")) == 1
