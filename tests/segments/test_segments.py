"""The language of segments: what it says of a subscriber, how it is printed, and what it says to mistakes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.audience.models import Subscriber
from newsletter.mail.address import parse_address
from newsletter.segments import SegmentError, parse_segment
from newsletter.segments.parser import MAX_DEPTH
from newsletter.segments.tokens import MAX_TOKENS, MAX_WORD

LI = Subscriber(
    address=parse_address("Li.Lei@例子.example.org"),
    name="李雷 Lei",
    tags=frozenset(("cv", "机器 学习")),
    language="zh-CN",
    fields={"city": "北京", "empty": " ", "org": "O’Neil & Co"},
    joined=date(2026, 1, 31),
)
NOBODY = Subscriber(address=parse_address("someone@qq.com"))

TRUE_OF_LI = """
    all
    tag
    tag = cv
    TAG = cv
    tag != nlp
    tag in (nlp, cv)
    tag in （nlp，cv）
    tag in (nlp、cv)
    tag not in (nlp)
    tag = "机器 学习"
    tag = “机器 学习”
    tag ~ 学
    language = zh
    language = ZH-cn
    language = zh_CN
    language in (en, zh)
    not language = zh-TW
    name ~ lei
    name = '李雷 Lei'
    field.city = 北京
    field。city ＝ 北京
    Field.city = 北京
    field.city
    not field.empty
    not field.nowhere
    not field.City
    field.org = "O’Neil & Co"
    field.org ~ “neil”
    address = LI.LEI@例子.example.org
    address = li.lei@xn--fsqu00a.example.org
    address ~ "@例子."
    domain = 例子.EXAMPLE.org
    domain = @xn--fsqu00a.example.org
    domain ~ example
    joined
    joined = 2026-01-31
    joined >= 2026-1-31
    joined ≤ 2026-01-31
    joined ＞＝ 2026-01-31
    joined > 2026-01-30 and joined < 2026-02-01
    joined != 2026-01-30
    got 63
    GOT 063
    not got 62
    tag = nlp or tag = cv
    tag = nlp and tag = x or tag = cv
    not (tag = nlp or tag = x)
    not tag = nlp and language = zh
    not not tag = cv
""".strip().splitlines()

FALSE_OF_LI = """
    not all
    tag = CV
    tag = c
    tag = nlp and tag = cv
    language = cn
    language = zh-C
    name = 李雷
    field.city = "北"
    field.empty
    field.nowhere = x
    address = li
    domain = example.org
    joined > 2026-01-31
    got 62
    tag = cv and (tag = nlp or tag = x)
    not tag = cv or language = en
""".strip().splitlines()


@pytest.mark.parametrize("text", [line.strip() for line in TRUE_OF_LI])
def test_what_is_true_of_somebody(text: str) -> None:
    assert parse_segment(text).matches(LI, got=lambda issue: issue == 63)


@pytest.mark.parametrize("text", [line.strip() for line in FALSE_OF_LI])
def test_what_is_not(text: str) -> None:
    assert not parse_segment(text).matches(LI, got=lambda issue: issue == 63)


@pytest.mark.parametrize(
    "text",
    ["tag", "name", "language", "joined", "joined < 2999-01-01", "joined > 0001-01-01", "name ~ x"],
)
def test_what_is_not_there_meets_nothing(text: str) -> None:
    assert not parse_segment(text).matches(NOBODY)
    assert parse_segment(f"not {text}").matches(NOBODY)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Tag IN（cv，cv）", "tag = cv"),
        ("tag not in(cv,nlp)", "not tag in (cv, nlp)"),
        ("tag != cv AND ((got 063))", "not tag = cv and got 63"),
        ("(tag = a or tag = b) or (tag = c and (tag = d and all))", ""),
        ("not (tag = a and tag = b)", "not (tag = a and tag = b)"),
        ("(tag = a or tag = b) and all", "(tag = a or tag = b) and all"),
        ("field。城市 == '北 京'", 'field.城市 = "北 京"'),
        ('tag = "and" or tag = all', 'tag = "and" or tag = "all"'),
        (r'name ~ "a \"b\" \\ “c”"', r'name ~ "a \"b\" \\ “c”"'),
        ("joined ≠ 2026-1-2", "not joined = 2026-01-02"),
    ],
)
def test_there_is_one_way_to_print_it(text: str, canonical: str) -> None:
    segment = parse_segment(text)
    assert str(segment) == (canonical or text.replace("(", "").replace(")", ""))
    assert parse_segment(str(segment)) == segment


def test_what_it_asks_about() -> None:
    segment = parse_segment("tag = cv and not (got 63 or got 62 or tag = cv)")
    assert segment.uses_history
    assert segment.issues == {62, 63}
    assert {str(question) for question in segment.questions()} == {"tag = cv", "got 62", "got 63"}
    assert not parse_segment("tag = cv").uses_history
    with pytest.raises(ValueError, match="who got issue"):
        segment.matches(LI)


MISTAKES = [
    ("", 1, "the segment is empty"),
    (" \n ", 1, "the segment is empty"),
    ("cv", 1, "did you mean `tag = cv`?"),
    ("languag = zh", 1, "did you mean `language`?"),
    ("email ~ qq", 1, "did you mean `address`?"),
    ("tag = cv or 语言 = zh", 13, "did you mean `language`?"),
    ("city = 北京", 1, "`field.city`"),
    ("field. = 北京", 1, "not the name of a field"),
    ('"tag" = cv', 1, "a question is expected"),
    ("tag =", 6, "but nothing follows"),
    ("tag = (a, b)", 7, "write `tag in (one, two)`"),
    ("tag = a, b", 8, "stands only in a list"),
    ("tag = and", 7, 'quotation marks: "and"'),
    ("tag = Peking University", 14, 'quotation marks: "Peking University"'),
    ("tag = a && tag = b", 9, "write `and`"),
    ("tag = a 和 tag = b", 9, "write `and`"),
    ("tag = a tag = b", 9, "`and`, `or` or the end"),
    ('tag = ""', 7, "nothing between these quotation marks"),
    ("name = “李", 8, "never closed"),
    ("name = '李’", 8, "never closed"),
    ("tag ! a", 5, "`!=`"),
    ("tag <> a", 5, "only `joined`"),
    ("tag in a", 8, "a list in parentheses"),
    ("tag in (a", 8, "never closed"),
    ("tag in (a b)", 11, "`,` or `)`"),
    ("tag in (a,)", 11, "a value is expected"),
    ("(tag = a or (tag = b)", 1, "never closed"),
    ("(tag = a) )", 11, "no `(`"),
    ("tag = a or", 11, "something is missing"),
    ("tag = a\nand oops = b", 5, "`oops` is nothing to ask about"),
    ("language = 中文", 12, "such as zh"),
    ("joined < 30 days ago", 10, "write the date"),
    ("joined >= 2026-02-30", 11, "there is no day 2026-02-30"),
    ("joined ~ 2026", 8, "cannot be asked"),
    ("got = 63", 5, "such as `got 63`"),
    ("got 1000000", 5, "such as `got 63`"),
    ("tag\u200b = cv", 4, "invisible character U+200B"),
    ('tag = "a\nb"', 9, "invisible character U+000A"),
    ("tag = \udc80", 7, "invisible character U+DC80"),
    ("not " * (MAX_DEPTH + 1) + "all", 4 * MAX_DEPTH + 1, "nests deeper"),
    ("(" * 100_000, MAX_TOKENS + 1, "too long"),
    ("not " * MAX_DEPTH + "tag != a", 4 * MAX_DEPTH + 5, "nests deeper"),
    ("x" * (MAX_WORD + 1), 1, "at most"),
]


@pytest.mark.parametrize(("text", "column", "words"), MISTAKES)
def test_a_mistake_has_a_place_and_advice(text: str, column: int, words: str) -> None:
    with pytest.raises(SegmentError) as caught:
        parse_segment(text)
    assert words in str(caught.value)
    assert caught.value.column == column
    assert caught.value.line == (2 if "\noops" in text or "\nand" in text else 1)
    assert "\n" not in str(caught.value)


def test_history_can_be_refused() -> None:
    with pytest.raises(SegmentError, match="the same at every retry") as caught:
        parse_segment("tag = cv and not got 63", history=False)
    assert caught.value.column == 18


PIECES = """tag language name address domain joined got all and or not in field.city ( ) , = != ~ < >= （ ） ＝ ，
cv zh 北京 2026-01-31 63 “北 京” "and" '\\\\"' \\ ! | a@b """
CHARACTERS = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
VALUES = st.text(CHARACTERS, max_size=8).filter(str.strip) | st.sampled_from(
    ["and", "a\\", "'", '"']
)


@st.composite
def questions(draw: st.DrawFn) -> str:
    subject = draw(st.sampled_from(["tag", "Name", "address", "domain", "field.x_1"]))
    value = draw(VALUES).replace("\\", "\\\\").replace('"', '\\"')
    other = draw(st.sampled_from(["cv", "“and”", "'a \"b\" \\\\'"]))
    return draw(
        st.sampled_from(
            [
                subject,
                f'{subject} = "{value}"',
                f'{subject}~"{value}"',
                f'{subject} != "{value}"',
                f'{subject} NOT in （"{value}"，{other}）',
                f"got {draw(st.integers(0, 999_999))}",
                f"joined >= {draw(st.dates())}",
                f"joined ≠ {draw(st.dates())}",
                "language in (zh, zh_TW, en)",
                "ALL",
            ]
        )
    )


TREES = st.recursive(
    questions(),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        inner.map(lambda text: f"({text})"),
        st.lists(inner, min_size=2, max_size=4).map(" and ".join),
        st.lists(inner, min_size=2, max_size=4).map("\nOr ".join),
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(TREES)
@example("not (" * 14 + "tag != a" + ")" * 14)
@example("tag in (" + ",".join(map(str, range(490))) + ")")
@example("name = “" + '\\"' * MAX_WORD + "”")
@example("name = \u3000“ a ”\u3000")
def test_it_reads_itself_back(text: str) -> None:
    segment = parse_segment(text)
    assert parse_segment(str(segment)) == segment
    assert segment.matches(LI, got=lambda issue: issue == 63) in (True, False)


@settings(max_examples=150)
@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join))
def test_any_text_is_a_segment_or_a_mistake_with_a_place(text: str) -> None:
    offset = 0
    try:
        segment = parse_segment(text)
    except SegmentError as error:
        offset = error.offset
    else:
        assert parse_segment(str(segment)) == segment
    assert 0 <= offset <= len(text)
