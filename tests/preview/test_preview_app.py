"""What the page is told, request by request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from newsletter.preview.app import STATIC


@pytest.mark.parametrize("name", sorted(path.name for path in STATIC.iterdir()))
def test_static_files_come_with_their_type(standing: Any, name: str) -> None:
    answer = standing.get(f"static/{name}")
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
    assert answer.status == 200
    expected = kinds.get(Path(name).suffix, "image/svg+xml")
    assert answer.headers["content-type"].startswith(expected)


def test_the_page_names_no_other_place() -> None:
    for path in STATIC.iterdir():
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", "").replace("https?:", ""), path.name


def test_publication(standing: Any) -> None:
    told = standing.get("api/publication").json()
    assert told["name"] == "测试周刊"
    assert told["problems"] == []
    assert [issue["number"] for issue in told["issues"]] == [8, 7]
    newest, seventh = told["issues"]
    assert newest == {
        "number": 8,
        "path": "content/008.md",
        "title": "第八期",
        "status": "draft",
        "date": None,
        "problem": False,
    }
    assert seventh["date"] == "2026-03-02T09:00:00+08:00"
    assert seventh["status"] == "ready"


def test_an_issue(standing: Any) -> None:
    answer = standing.get("api/issues/7").json()
    view = answer["view"]
    assert answer["problems"] == []
    assert view["subject"] == "测试周刊 No.7｜第七期的标题"
    assert view["from"] == "测试周刊 <weekly@example.org>"
    assert view["to"] == "林晓雨 <lin@example.com>"
    assert view["preheader"] == "预览文字在这里"
    assert view["reader"]["key"] == "lin@example.com"
    assert "林晓雨，您好！" in view["text"]
    assert view["inbox"][0]["preview"].startswith("预览文字在这里 第七期的标题")
    assert view["sizes"]["message"] > view["sizes"]["html"] > 0
    assert [part["content_type"] for part in view["parts"]] == [
        "text/plain",
        "text/html",
        "image/png",
    ]


def test_headers_decoded_and_as_written(standing: Any) -> None:
    headers = standing.get("api/issues/7").json()["view"]["headers"]
    subject = next(header for header in headers if header["name"] == "Subject")
    assert subject["decoded"] == "测试周刊 No.7｜第七期的标题"
    assert subject["raw"].startswith("=?utf-8?")
    names = [header["name"] for header in headers]
    assert {"List-Unsubscribe", "List-Id", "Message-ID", "To"} <= set(names)


def test_as_somebody_else(standing: Any) -> None:
    view = standing.get("api/issues/7?as=bo@example.com").json()["view"]
    assert view["to"] == "王 <bo@example.com>"
    assert "只给读论文的人" not in view["text"]
    assert "只给读论文的人" in standing.get("api/issues/7").json()["view"]["text"]


def test_somebody_unknown_is_the_first_reader(standing: Any) -> None:
    view = standing.get("api/issues/7?as=nobody@example.com").json()["view"]
    assert view["reader"]["key"] == "lin@example.com"


def test_the_same_bytes_have_the_same_name(standing: Any) -> None:
    first, second = (standing.get("api/issues/7").json()["view"]["id"] for _ in range(2))
    other = standing.get("api/issues/7?as=bo@example.com").json()["view"]["id"]
    assert first == second != other


def test_source_and_raw_are_what_would_be_sent(standing: Any) -> None:
    view = standing.get("api/issues/7").json()["view"]
    source = standing.get(f"views/{view['id']}/source")
    raw = standing.get(f"views/{view['id']}/raw")
    assert source.headers["content-type"].startswith("text/plain")
    assert "@media (prefers-color-scheme: dark)" in source.text
    assert "cid:" in source.text
    assert len(raw.body) == view["sizes"]["message"]
    assert raw.body.startswith(b"From: ")
    assert standing.get(f"views/{view['id']}/other").status == 404


def test_embedded_images_come_from_here(standing: Any) -> None:
    view = standing.get("api/issues/7").json()["view"]
    html = standing.get(f"mail/{view['id']}").text
    assert "cid:" not in html
    start = html.index(f"/{standing.token}/image/")
    image = standing.get(html[start : html.index('"', start)])
    assert image.headers["content-type"] == "image/png"
    assert image.body.startswith(b"\x89PNG")
    assert "immutable" in image.headers["cache-control"]


def test_hosted_images_come_from_here_too(preview: Any) -> None:
    preview.edit("newsletter.yaml", "language:", "site_url: https://w.example.org/a\nlanguage:")
    for _ in range(100):
        view = preview.get("api/issues/7").json()["view"]
        if len(view["parts"]) == 2:
            break
    html = preview.get(f"mail/{view['id']}").text
    assert "https://w.example.org/a/assets/" not in html
    start = html.index(f"/{preview.token}/image/")
    assert preview.get(html[start : html.index('"', start)]).body.startswith(b"\x89PNG")
    assert view["elsewhere"] == []


def test_imitated_clients(standing: Any) -> None:
    name = standing.get("api/issues/7").json()["view"]["id"]
    plain = standing.get(f"mail/{name}").text
    assert "(max-width:0)" in plain
    assert "(min-width:0)" in standing.get(f"mail/{name}?dark=author").text
    assert "@media" not in standing.get(f"mail/{name}?styles=off").text
    assert "data-ogsb" in standing.get(f"mail/{name}?dark=outlook").text
    assert standing.get(f"mail/{name}?dark=nonsense").text == plain


def test_people(standing: Any) -> None:
    told = standing.get("api/people?issue=7").json()
    assert told["total"] == 5
    assert {role["code"] for role in told["people"][0]["roles"]} == {"variant"}
    assert standing.get("api/people?issue=7&q=gone").json()["people"][0]["status"] == "unsubscribed"
    assert standing.get("api/people?q=%E6%9E%97").json()["total"] == 1
    assert standing.get("api/people?issue=x&q=nobody").json() == {"people": [], "total": 0}


def test_source_lines(standing: Any) -> None:
    told = standing.get("api/source?path=content/007.yaml&line=2").json()
    assert told["first"] == 1
    assert told["lines"][1] == "title: 第七期的标题"
    assert standing.get("api/source?path=content/007.yaml&line=x").status == 400


@pytest.mark.parametrize(
    "path", ["../weekly/newsletter.yaml", "/etc/hosts", ".newsletter/secret", "content/none.yaml"]
)
def test_source_lines_of_the_publication_only(standing: Any, path: str) -> None:
    told = standing.get(f"api/source?path={path}&line=1").json()
    assert told["lines"] == []


def test_an_unknown_issue_is_a_mistake_that_names_the_nearest(standing: Any) -> None:
    told = standing.get("api/issues/99").json()
    assert told["view"] is None
    assert "nearest: 7, 8" in told["problems"][0]["message"]


def test_the_checks_are_asked_when_there_is_time(start: Any, publication: Path) -> None:
    source = publication / "content" / "007.yaml"
    source.write_text(source.read_text("utf-8").replace("一句话。", "一句话。。"), "utf-8")
    preview = start(publication, checks=True)
    view = preview.get("api/issues/7").json()["view"]
    assert view["findings"] == []
    told = preview.get(f"api/findings/{view['id']}").json()["findings"]
    assert {one["severity"] for one in told} <= {"error", "warning", "note"}
    assert ("content/007.yaml", 10) in [(one["path"], one["line"]) for one in told]
    assert preview.get("api/findings/none").status == 404


def test_a_list_that_cannot_be_read_is_a_mistake_over_a_view(preview: Any) -> None:
    preview.write("subscribers.csv", "name\n林\n")
    for _ in range(100):
        told = preview.get("api/issues/7").json()
        if told["problems"]:
            break
    assert "subscribers.csv" in told["problems"][0]["path"] + told["problems"][0]["message"]
    assert told["view"]["reader"]["sample"]


def test_a_publication_without_a_list_has_a_sample_reader(start: Any, publication: Path) -> None:
    (publication / "subscribers.csv").unlink()
    view = start(publication).get("api/issues/7").json()["view"]
    assert view["reader"]["sample"]
    assert view["findings"][0]["code"] == "no-list"
    assert "示例读者，您好" in view["text"]


def test_a_bad_row_is_a_finding(start: Any, publication: Path) -> None:
    with (publication / "subscribers.csv").open("a", encoding="utf-8") as stream:
        stream.write("not an address,坏,active,,\n")
    findings = start(publication).get("api/issues/7").json()["view"]["findings"]
    assert [(one["code"], one["path"], one["line"]) for one in findings] == [
        ("list-row", "subscribers.csv", 7)
    ]
