"""Findings of the compatibility checks: their words, their lines, and what the sample publication gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.checking import check_issue
from newsletter.checks.model import Example, Finding, Severity
from newsletter.errors import ConfigError
from newsletter.project import Project

ROOT = Path(__file__).resolve().parents[3]
Findings = Callable[..., list[Finding]]
CODES = ("client-unsupported", "client-ignored", "client-partial", "css-untested")
SHEET = "templates/styles/inlined.css"
TEXT = "templates/blocks/text.html.j2"


def own(
    findings: Findings, *, clients: dict[str, str] | None = None, **files: str
) -> list[Finding]:
    """What is found in files of a publication: `head=` and `inlined=` are style sheets, `text=` a template."""
    names = {"head": "templates/styles/head.css", "inlined": SHEET, "text": TEXT}
    publication = {"checks": {"clients": clients}} if clients else {}
    example = Example(
        files={names[name]: text for name, text in files.items()}, publication=publication
    )
    return findings(example, select=["compatibility"])


def one(found: list[Finding], code: str, word: str) -> Finding:
    """The finding with this code whose message or hint has this word."""
    (finding,) = [
        each for each in found if each.code == code and word in f"{each.message} {each.hint}"
    ]
    return finding


def test_a_rule_of_the_inlined_sheet_is_found_at_its_line(findings: Findings) -> None:
    css = ".prose { color: #333333; }\n\n.prose p { display: flex; }\n.other { display: flex; }\n"
    finding = one(own(findings, inlined=css), "client-unsupported", "display: flex")
    assert finding.severity is Severity.WARNING
    assert str(finding.place) == f"{SHEET}:3:12"
    assert "Outlook (Windows)" in finding.message
    assert finding.hint is not None
    assert "https://www.caniemail.com/features/css-display-flex/" in finding.hint
    assert finding.snippet is not None
    assert "display: flex" in finding.snippet


def test_the_last_rule_that_sets_it_is_the_one(findings: Findings) -> None:
    css = "p { float: left; }\n.prose p { float: right; }\n.nobody p { float: left; }\n"
    finding = one(own(findings, inlined=css), "client-unsupported", "float")
    assert finding.place is not None
    assert (finding.place.line, finding.message[-3:]) in [(1, ":2)"), (2, ":1)")]


def test_a_style_attribute_is_found_in_its_template(findings: Findings) -> None:
    text = '<div>\n<p style="color:#333333; display : flex">{{ item.body }}</p></div>'
    finding = one(own(findings, text=text), "client-unsupported", "display: flex")
    assert str(finding.place) == f"{TEXT}:2:26"


def test_a_style_block_is_found_at_the_line_of_its_sheet(findings: Findings) -> None:
    css = (
        "/* dark */\n@media (prefers-color-scheme: dark) {\n  p { color: #ffffff !important; }\n}\n"
    )
    finding = one(own(findings, head=css), "client-ignored", "media-prefers-color-scheme/")
    assert finding.severity is Severity.NOTE
    assert str(finding.place) == "templates/styles/head.css:2:1"


def test_an_element_is_found_in_its_template(findings: Findings) -> None:
    text = "<div>\n  <video src='a.mp4'>{{ item.body }}</video></div>"
    finding = one(own(findings, text=text), "client-unsupported", "<video>")
    assert str(finding.place) == f"{TEXT}:2:3"


def test_several_places_are_one_finding(findings: Findings) -> None:
    css = ".prose { float: left; }\n.prose p { float: right; }\ntd { float: none; }\n"
    finding = one(own(findings, inlined=css), "client-unsupported", "float")
    assert "(and 2 more)" in finding.message
    assert finding.place is not None
    lines = {
        finding.place.line,
        *map(int, finding.message.rpartition(":")[2].rstrip(")").split(",")),
    }
    assert lines == {1, 2, 3}


def test_partial_support_is_told_with_its_reason(findings: Findings) -> None:
    found = own(findings, text='<p style="margin:-8px 0">{{ item.body }}</p>')
    finding = one(found, "client-partial", "margin")
    assert "Gmail" in finding.message
    assert "Negative values are not supported" in finding.message


def test_the_overlay_says_that_it_is_no_test(findings: Findings) -> None:
    found = own(
        findings, head="@media screen and (max-width: 599px) { p { margin: 0 !important; } }"
    )
    finding = one(found, "client-partial", "@media")
    assert "QQ Mail" in finding.message
    assert "(assumed)" in finding.message
    assert "(reported)" in finding.message
    assert finding.hint is not None
    assert "geekdaxue.co" in finding.hint


def test_the_packaged_theme_is_not_told_of_in_notes(findings: Findings) -> None:
    assert findings(Example(), select=["compatibility"]) == []


def test_a_misspelt_property_is_told(findings: Findings) -> None:
    finding = one(own(findings, inlined=".prose p { colour: #333; }"), "css-untested", "colour")
    assert str(finding.place) == f"{SHEET}:1:12"


@pytest.mark.parametrize(
    ("clients", "severity"),
    [
        ({}, Severity.WARNING),
        ({"outlook": "error"}, Severity.ERROR),
        ({"outlook/windows": "note"}, Severity.NOTE),
        ({"outlook": "off"}, None),
        ({"outlook": "note", "outlook/windows": "error"}, Severity.ERROR),
        ({"outlook": "off", "outlook/windows": "warning"}, Severity.WARNING),
        ({"outlook/windows": "off"}, None),
    ],
)
def test_mail_programs_and_their_severity_are_chosen(
    findings: Findings, clients: dict[str, str], severity: Severity | None
) -> None:
    found = own(findings, clients=clients, text='<div style="display:flex">{{ item.body }}</div>')
    severities = [each.severity for each in found if each.code == "client-unsupported"]
    assert severities == ([severity] if severity else [])


def test_another_mail_program_can_be_added(findings: Findings) -> None:
    text = '<p style="aspect-ratio:1">{{ item.body }}</p>'
    assert "Samsung" not in one(own(findings, text=text), "client-unsupported", "aspect").message
    found = own(findings, clients={"samsung-email": "warning"}, text=text)
    assert "Samsung Email" in one(found, "client-unsupported", "aspect").message


@pytest.mark.parametrize(
    ("name", "near"), [("outlok", "outlook"), ("outlook/window", "outlook/windows"), ("x", "gmail")]
)
def test_a_mail_program_that_nobody_knows_is_refused(
    findings: Findings, name: str, near: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        own(findings, clients={name: "off"}, text="<p>{{ item.body }}</p>")
    assert f"newsletter.yaml: `checks.clients`: there is no mail program `{name}`" in str(
        caught.value
    )
    assert near in str(caught.value)


@pytest.fixture(scope="module")
def sample() -> Project:
    return Project.open(ROOT, environ={"NEWSLETTER_SECRET": "0123456789abcdef" * 4})


@pytest.mark.parametrize("number", [64, 65])
def test_the_sample_publication_works_everywhere(sample: Project, number: int) -> None:
    found = check_issue(sample, number, select=["compatibility"])
    assert [str(each.message) for each in found if each.severity is not Severity.NOTE] == []
    assert all(each.place and each.place.line for each in found)
    assert len(found) < 30


def test_what_is_told_of_the_sample_is_true_and_traced(sample: Project) -> None:
    found = check_issue(sample, 64, select=["compatibility"])
    head = (ROOT / "templates/styles/head.css").read_text("utf-8").splitlines()
    dark = one(found, "client-ignored", "media-prefers-color-scheme/")
    assert dark.place is not None
    assert dark.place.line is not None
    assert head[dark.place.line - 1].startswith("@media (prefers-color-scheme: dark)")
    assert {each.code for each in found} == {"client-ignored", "client-partial"}
