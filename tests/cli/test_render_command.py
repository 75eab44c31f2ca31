from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def parse(path: Path) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    assert isinstance(message, EmailMessage)
    return message


def test_writes_html_text_and_message(run: Run, publication: Path) -> None:
    result = run("render", "1", "--out", "made/deep", cwd=publication)
    assert result.returncode == 0
    assert result.stderr == ""
    made = publication / "made" / "deep"
    assert sorted(path.name for path in made.iterdir()) == [
        "001.eml",
        "001.html",
        "001.txt",
        "images",
    ]
    for suffix in ("html", "txt", "eml"):
        size = (made / f"001.{suffix}").stat().st_size
        assert f"written  made/deep/001.{suffix}  ({size:,} bytes)\n" in result.stdout


def test_is_addressed_to_a_sample_reader(call: Run, publication: Path) -> None:
    call("render", "1", cwd=publication)
    message = parse(publication / "out" / "001.eml")
    assert not message.defects
    assert message["To"] == "读者 <reader@example.com>"
    assert message["Subject"] == "我的周刊 No.1｜你好，读者"
    assert "读者，您好" in (publication / "out" / "001.txt").read_text()
    assert "读者，您好" in (publication / "out" / "001.html").read_text()


def test_pictures_lie_beside_the_page_so_that_it_opens_in_a_browser(
    call: Run, publication: Path
) -> None:
    call("render", "1", cwd=publication)
    html = (publication / "out" / "001.html").read_text()
    assert "cid:" not in html
    sources = re.findall(r'src="([^"]+)"', html)
    assert len(sources) == 2
    for source in sources:
        assert source.startswith("images/")
        assert (publication / "out" / source).read_bytes().startswith(b"\x89PNG")
    body = parse(publication / "out" / "001.eml").get_body(("html",))
    assert body is not None
    assert body.get_content().count('src="cid:') == 2


def test_hosted_pictures_are_left_where_they_are(call: Run, publication: Path) -> None:
    env = {"NEWSLETTER_SITE_URL": "https://site.example.org"}
    call("render", "1", cwd=publication, env=env)
    assert 'src="https://site.example.org/' in (publication / "out" / "001.html").read_text()
    assert not (publication / "out" / "images").exists()


class TestAsSubscriber:
    def test_has_only_what_is_theirs(self, call: Run, publication: Path) -> None:
        assert (
            call("render", "1", "--as", "Reader.ONE@example.com", cwd=publication).returncode == 0
        )
        text = (publication / "out" / "001.txt").read_text()
        assert "林晓雨，您好" in text
        assert "reader.one@example.com" in text
        assert parse(publication / "out" / "001.eml")["To"] == "林晓雨 <reader.one@example.com>"

    def test_sees_the_items_that_are_meant_for_them(self, call: Run, publication: Path) -> None:
        source = publication / "content" / "001.yaml"
        extra = "      - kind: text\n        only: {tags: [编程]}\n        body: 只给程序员\n"
        source.write_text(source.read_text() + extra)
        seen = {}
        for address in ("reader.one@example.com", "reader.two@example.org"):
            call("render", "1", "--as", address, cwd=publication)
            seen[address] = "只给程序员" in (publication / "out" / "001.txt").read_text()
        assert list(seen.values()) == [False, True]
        call("render", "1", cwd=publication)
        assert "只给程序员" in (publication / "out" / "001.txt").read_text()

    def test_the_same_bytes_every_time(self, run: Run, publication: Path) -> None:
        for folder in ("one", "two"):
            run("render", "1", "--as", "reader.one@example.com", "--out", folder, cwd=publication)
        for name in ("001.html", "001.txt", "001.eml"):
            assert (publication / "one" / name).read_bytes() == (
                publication / "two" / name
            ).read_bytes()

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            ("nobody@example.com", "nobody@example.com is not in subscribers.csv"),
            ("nobody", "An email address must have an @-sign"),
        ],
    )
    def test_who_is_not_in_the_list_is_a_usage_error(
        self, call: Run, publication: Path, address: str, words: str
    ) -> None:
        result = call("render", "1", "--as", address, cwd=publication)
        assert result.returncode == 2
        assert words in result.stderr
        assert not (publication / "out").exists()


class TestSampleReader:
    def test_has_the_columns_of_the_list(self, call: Run, publication: Path) -> None:
        (publication / "subscribers.csv").write_text("email,城市\na@example.com,北京\n")
        template = publication / "templates" / "issue.txt.j2"
        template.write_text(template.read_text() + "\n住在{{ subscriber.fields.城市 }}\n")
        result = call("render", "1", cwd=publication)
        assert result.returncode == 0, result.stderr
        assert "住在（城市）" in (publication / "out" / "001.txt").read_text()

    def test_needs_no_list(self, call: Run, publication: Path) -> None:
        (publication / "subscribers.csv").unlink()
        assert call("render", "1", cwd=publication).returncode == 0


def test_a_mistake_in_a_template_is_told_with_its_line(call: Run, publication: Path) -> None:
    template = publication / "templates" / "issue.txt.j2"
    template.write_text("{{ issue.title }}\n{{ issue.titel }}\n")
    result = call("render", "1", cwd=publication)
    assert result.returncode == 1
    assert "templates/issue.txt.j2:2" in result.stderr
    assert not (publication / "out").exists()


def test_what_had_to_be_left_out_is_a_warning(call: Run, publication: Path) -> None:
    css = publication / "templates" / "styles" / "inlined.css"
    css.write_text(css.read_text() + "\n.byline:is(.byline) { color: #123456; }\n")
    result = call("render", "1", cwd=publication)
    assert result.returncode == 0
    assert result.stderr.startswith("warning: templates/styles/inlined.css:")
