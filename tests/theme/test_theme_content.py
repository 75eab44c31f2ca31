"""The words of the sample publication: issue 64 is complete in both parts, and its Chinese is set with care."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree, html

from newsletter.config import Publication
from newsletter.content.models import Event, Issue, Paper, Status
from newsletter.content.reader import read_issue
from newsletter.rendering.edition import Edition
from newsletter.rendering.render import Renderer

HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
TIGHT = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u3400-\u4dbf\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")
TITLES = (
    "Adversarial Pretraining of Self-Supervised Deep Networks: Past, Present and Future",
    "Self-Supervision on Wheels: Advances in Self-Supervised Learning from Autonomous Driving Data",
    "Don't Prompt, Search! Mining-based Zero-Shot Learning with Language Models",
    "Learning to Perform Complex Tasks through Compositional Fine-Tuning of Language Models",
    "PATS: Sensitivity-aware Noisy Learning for Pretrained Language Models",
    "Zero-Shot Learners for Natural Language Understanding via a Unified Multiple Choice Perspective",
    "Large Language Models Can Self-Improve",
    "脑认知指导的预训练语言模型",
)


def papers_of(issue: Issue) -> list[Paper]:
    return [item for _, item in issue.items() if isinstance(item, Paper)]


def words_of(page: etree._Element) -> str:
    return " ".join(page.find("body").itertext())


def prose(node: etree._Element) -> Iterator[str]:
    """Blocks of running text of the page: what stands between two edges."""
    for block in node.iter("td", "p", "h1", "h2", "h3", "h4", "li"):
        if not block.xpath(".//td|.//p|.//table|.//li"):
            yield block.text_content()


def test_issue_64_says_what_it_is(issue: Issue):
    assert issue.number == 64
    assert issue.title == "微调新范式：组合、噪音、指令、自我改进等"
    assert issue.status is Status.READY
    assert issue.date is not None
    assert issue.date.isoformat() == "2022-11-07T09:00:00+08:00"
    assert issue.date.weekday() == 0
    assert 30 <= len(issue.preheader or "") <= 90


def test_sections_follow_the_order_of_the_original(issue: Issue):
    titles = [section.title for section in issue.sections if section.title]
    assert titles == ["本期导读", "订阅方式", "论文推荐", "活动预告", "加入社区"]
    (papers,) = [section for section in issue.sections if section.groups]
    assert [(group.title, len(group.items)) for group in papers.groups] == [
        ("CV 研究", 2),
        ("NLP 研究", 5),
        ("生命科学研究", 1),
    ]
    kinds = [item.kind for _, item in issue.items()]
    assert kinds.count("divider") == kinds.count("qr") == 3


def test_all_eight_papers_are_there_in_their_order(issue: Issue):
    assert tuple(paper.title for paper in papers_of(issue)) == TITLES


def test_every_paper_is_complete_in_both_parts(
    issue: Issue, edition: Edition, page: etree._Element
):
    seen = words_of(page)
    for paper in papers_of(issue):
        summary = re.sub(r"\s", "", paper.summary)
        for place in (seen, edition.text):
            assert paper.title in place
            assert (paper.title_zh or "") in place
            assert paper.download is not None
            assert paper.download in place
            assert all(name in place for name in (*paper.authors, *paper.institutions))
            assert summary in re.sub(r"\s", "", place)


def test_a_papers_title_is_the_link_to_it(issue: Issue, page: etree._Element):
    for paper in papers_of(issue):
        (link,) = [node for node in page.iter("a") if node.text == paper.title]
        assert link.get("href") == paper.url
        assert link.getparent().tag == "h4"


@pytest.mark.parametrize("label", ["标题", "作者", "简介", "论文下载"])
def test_the_parts_of_a_paper_are_labelled(label: str, page: etree._Element, edition: Edition):
    cells = [cell for cell in page.iter("td") if (cell.text or "").strip() == label]
    lines = [line for line in edition.text.splitlines() if line.startswith(f"{label}：")]
    events = {"标题": 1, "简介": 1}.get(label, 0)
    assert len(cells) == len(lines) == 8 + events


def test_incomplete_lists_of_names_say_so(edition: Edition):
    assert "valeo 公司等" in edition.text
    assert "丁效、陈薄文等" in edition.text
    assert "Victor S. Bursztyn、David Demeter、Doug Downey 等" in edition.text
    assert "Guo-Jun Qi、Mubarak Shah\n" in edition.text


def test_the_event_has_speaker_time_and_the_right_weekday(
    issue: Issue, edition: Edition, page: etree._Element
):
    (event,) = [item for _, item in issue.items() if isinstance(item, Event)]
    assert event.starts.weekday() == 2
    for place in (words_of(page), edition.text):
        assert "语言模型的新微调方式" in place
        assert "智源 Live 第 27 期" in place
        assert "侯乐，谷歌高级软件工程师（Google Core ML）" in place
        assert "2022年11月9日 周三 09:00–10:00（北京时间）" in place
        assert "线上" in place


def test_the_community_call_has_three_benefits_and_a_way_in(edition: Edition, page: etree._Element):
    assert len(list(page.iter("li"))) == 3
    for place in (words_of(page), edition.text):
        assert "智源社区-预训练-交流群" in place
        assert all(word in place for word in ("前沿知识", "分享经验", "专属的活动"))
        assert all(word in place for word in ("姓名", "单位", "预训练"))
    assert "https://hub.example.org/groups/pretraining/join" in edition.text


def test_both_ways_to_subscribe_are_there(edition: Edition, page: etree._Element):
    for place in (words_of(page), edition.text):
        assert "方式一：在智源社区 App 中订阅" in place
        assert "方式二：通过“阅读原文”订阅" in place


def test_every_link_of_the_html_is_in_the_text_on_a_line_of_its_own(
    edition: Edition, page: etree._Element
):
    names = {slot.token: slot.name for slot in edition.slots}
    lines = [names.get(line, line) for line in edition.text.splitlines()]
    for link in page.iter("a"):
        target = names.get(link.get("href"), link.get("href"))
        if target.startswith("mailto:"):
            assert target.removeprefix("mailto:") in edition.text
        else:
            assert target in lines


def test_the_text_part_is_plain(edition: Edition):
    assert not re.search(r"[\u00a0\u200b-\u200f\ufeff\u2007\u034f]", edition.text)
    assert "**" not in edition.text
    assert "](" not in edition.text
    assert "<" not in edition.text
    assert "\n\n\n" not in edition.text
    assert edition.preheader not in edition.text
    assert not [line for line in edition.text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("at", range(8))
def test_a_summary_has_120_to_220_characters(at: int, issue: Issue):
    summary = papers_of(issue)[at].summary
    assert len(HAN.findall(summary)) >= 120
    assert len(re.sub(r"\s", "", summary)) <= 220
    assert summary.rstrip().endswith("。")


def test_latin_words_have_spaces_around_them(edition: Edition, page: etree._Element):
    for block in [*prose(page), *edition.text.splitlines()]:
        assert not TIGHT.search(block), block


def test_punctuation_between_chinese_characters_is_full_width(edition: Edition):
    for line in edition.text.splitlines():
        assert not HALF_WIDTH.search(line), line
        assert not re.search(r"。。|，，|、、|。，", line), line


def test_nothing_points_outside_example_domains_and_the_papers(page: etree._Element):
    hosts = {re.sub(r"https?://([^/]+).*", r"\1", a.get("href")) for a in page.iter("a")}
    known = {"arxiv.org", "aclanthology.org", "gidariss.github.io", "hub.example.org"}
    assert {host for host in hosts if "." in host and "@" not in host} == known


def test_previous_and_next_issue_are_left_to_the_web(edition: Edition):
    assert "上一篇" not in edition.html + edition.text
    assert "相关推荐" not in edition.html + edition.text


def test_the_issue_names_its_schema_for_editors(root: Path):
    first = (root / "content/064.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schema/issue.schema.json"


def test_issue_65_is_the_prose_form_and_shows_what_markdown_can(
    publication: Publication, root: Path
):
    source = read_issue(
        root / "content/065.md", root=root, kinds=frozenset(), zone=publication.zone
    )
    edition = Renderer(publication, root=root).render(source.issue)
    page = html.document_fromstring(edition.html)
    for tag in ("strong", "em", "ul", "blockquote", "h2", "h3"):
        assert list(page.iter(tag)), tag
    assert [a.get("href") for a in page.iter("a") if "arxiv" in a.get("href")] == [
        "https://arxiv.org/abs/2211.05100",
        "https://arxiv.org/abs/2211.01786",
        "https://arxiv.org/abs/2211.01910",
    ]
    assert "**" not in edition.html
    assert "更难得的是“开放”：" in [node.text for node in page.iter("strong")]
    levels = [int(node.tag[1]) for node in page.iter("h1", "h2", "h3")]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_golden_html(edition: Edition, golden: Callable[[Path, bytes], None], root: Path):
    golden(root / "tests/theme/golden/064.html", readable(edition, edition.html))


def test_golden_text(edition: Edition, golden: Callable[[Path, bytes], None], root: Path):
    golden(root / "tests/theme/golden/064.txt", readable(edition, edition.text))


def readable(edition: Edition, text: str) -> bytes:
    """The part with each slot's name where its token is."""
    for slot in edition.slots:
        text = text.replace(slot.token, f"[[{slot.name}]]")
    return text.encode()
