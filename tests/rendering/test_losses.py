"""Any inliner on trial: what it drops is found, whatever it is."""

from __future__ import annotations

import pytest
from lxml import etree

from newsletter.errors import Place, TemplateError
from newsletter.rendering import document
from newsletter.rendering.css import Placing, declarations_of, read_sheet, refused_in_kept_block
from newsletter.rendering.losses import StyleBlock, find_losses
from newsletter.rendering.mistake import Mistake


def lost(css: str, inliner, body: str = "<p>x</p><p class='a'>y</p>") -> list[str]:
    tree = document.parse(f"<html><head><style>{css}</style></head><body>{body}</body></html>")
    node = tree[0][0]
    placed = Placing(css, {})
    block = StyleBlock(node=node, sheet=read_sheet(css, placed), placed=placed)
    before = etree.tostring(tree)
    found = [str(problem).splitlines()[0] for problem in find_losses(tree, [block], inliner)]
    assert etree.tostring(tree) == before
    return found


def to_all(tree: etree._Element) -> None:
    """Puts every declaration everywhere."""
    style = next(tree.iter("style"))
    for node in tree.iter("p"):
        node.set("style", style.text or "")
    style.text = ""


def to_first(tree: etree._Element) -> None:
    """Reaches one element only."""
    style = next(tree.iter("style"))
    next(tree.iter("p")).set("style", style.text or "")
    style.text = ""


def to_none(tree: etree._Element) -> None:
    """Drops everything."""
    next(tree.iter("style")).text = ""


def not_at_all(tree: etree._Element) -> None:
    """Leaves everything in the block."""


def never(tree: etree._Element) -> None:
    """Fails."""
    raise Mistake("out of order")


def test_nothing_is_lost_when_everything_arrives():
    assert lost("p { top: 0 } .a { left: 0 } p::before { top: 0 }", to_all) == [
        "<style>:1:29: `p::before` could not be inlined, and is left out (give the elements a class)"
    ]


def test_a_rule_must_reach_every_element_that_it_fits():
    assert lost("p { top: 0 }", to_first) == [
        "<style>:1:1: `p` could not be inlined, and is left out (give the elements a class)"
    ]
    assert lost(".b { top: 0 }", to_first) == []


def test_each_lost_selector_of_a_list_is_named():
    found = lost("p,\n.a, b { top: 0 }", to_none)
    assert [line.split("`")[1] for line in found] == ["p", ".a"]


def test_what_stays_in_the_block_is_not_left_out():
    (problem,) = lost("p { top: 0 }", not_at_all)
    assert "and stays in a style block" in problem
    assert lost("p:hover { top: 0 } p::before { top: 0 }", not_at_all) == []


def test_an_empty_sheet_needs_no_trial():
    assert lost("", never) == []
    assert lost("/* x */ @media print { p { top: 0 } }", never) == []


def test_an_inliner_that_fails_says_so():
    with pytest.raises(Mistake, match="out of order"):
        lost("p { top: 0 }", never)


def test_a_selector_that_cannot_be_read_is_named_when_the_inliner_fails():
    with pytest.raises(TemplateError) as caught:
        lost("p { top: 0 }\np[=x] { top: 0 }", never)
    assert str(caught.value).startswith("<style>:2:1: the selector `p[=x]` cannot be read")


def test_rules_are_read_with_their_places():
    sheet = read_sheet(
        "/* x */\n a , b:is(c, d)/*y*/ {\n color : red!important ; top:0 }", Placing("", {})
    )
    (rule,) = sheet.rules
    assert rule.selectors == ("a", "b:is(c, d)")
    assert rule.prelude == "a, b:is(c, d)"
    assert (rule.line, rule.column) == (2, 2)
    first, second = rule.declarations
    assert (first.text, first.line, first.column) == ("color: red !important", 3, 2)
    assert (second.name, second.value, second.important) == ("top", "0", False)
    assert sheet.lost == sheet.refused == ()


def test_declarations_of_a_style_attribute():
    texts = [each.text for each in declarations_of("color:red; ;x:url(a;b); bad; top:0")]
    assert texts == ["color: red", "x: url(a;b)", "top: 0"]


def test_import_is_refused_with_its_place():
    text = "a{}\n  @IMPORT 'x';"
    (problem,) = refused_in_kept_block(text, Placing(text, {}))
    assert problem.place == Place(path="<style>", line=2, column=3)
    assert problem.snippet == "    2 |   @IMPORT 'x';"


def test_places_are_those_of_the_files_that_made_the_block():
    one, two = "a{}\nb{}\n", "c{}\n"
    text = f"\n{one}\nx {{}}\n{two}y {{}}\n"
    templates = {"templates/issue.html.j2": "<style>\n{{ … }}\nx {}\n  y {}\nz {}\nz {}\n</style>"}
    placed = Placing(text, {"a.css": one, "c.css": two, "empty.css": " "}, templates)
    found = {line: str(placed(line, 1)[0]) for line in range(2, 8)}
    assert found == {
        2: "a.css:1:1",
        3: "a.css:2:1",
        4: "<style>:4:1",
        5: "templates/issue.html.j2:3",
        6: "c.css:1:1",
        7: "templates/issue.html.j2:4",
    }
    assert placed(99, 1) == (Place(path="<style>", line=99, column=1), "   99 | ")
