"""Issue 64 in a real browser: it fits, it can be read by day and by night, and fingers hit its links."""

from __future__ import annotations

import base64
import colorsys
import html
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from newsletter.rendering.edition import Edition

PAIRS = """() => {
  const seen = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility()) continue;
    const pair = [getComputedStyle(node).color, ground(node)];
    seen.set(pair.join(), [...pair, text.slice(0, 20)]);
  }
  return [...seen.values()];
}"""

Colour = tuple[float, float, float]


@pytest.fixture(scope="module")
def mail(edition: Edition) -> str:
    """The HTML part with its pictures and with an unhelpfully long address."""
    values = {"name": "欧阳春晓", "email": "a.very.long.address.indeed@subdomain.example.org"}
    page = edition.html
    for slot in edition.slots:
        value = values.get(slot.name, "https://weekly.example.org/" + "x" * 34)
        page = page.replace(slot.token, html.escape(value))
    for image in edition.images:
        data = base64.b64encode(image.data).decode()
        page = page.replace(f"cid:{image.content_id}", f"data:{image.mime_type};base64,{data}")
    return page


@pytest.fixture
def show(browser: Browser, mail: str) -> Iterator[object]:
    pages: list[Page] = []

    def opened(width: int, scheme: str = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        page.set_content(mail)
        return page

    yield opened
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [320, 375, 414, 640, 1200])
def test_nothing_sticks_out_at_any_width(width: int, show):
    page = show(width)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    sheet = page.locator(".sheet").bounding_box()
    assert sheet["width"] <= 640
    assert page.locator(".masthead-img").bounding_box()["width"] == pytest.approx(sheet["width"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 760])
def test_every_text_has_enough_contrast(scheme: str, width: int, show):
    pairs = show(width, scheme).evaluate(PAIRS)
    assert len(pairs) >= 4
    for ink, ground, text in pairs:
        assert contrast(parsed(ink), parsed(ground)) >= 4.5, (text, ink, ground)


def test_contrast_survives_when_a_mail_program_inverts_the_colours(show):
    for ink, ground, text in show(375).evaluate(PAIRS):
        inverted = contrast(turned(parsed(ink)), turned(parsed(ground)))
        assert inverted >= 4.5, (text, ink, ground)


def test_the_dark_is_dark_and_the_light_is_light(show):
    background = "getComputedStyle(document.querySelector('.sheet')).backgroundColor"
    assert luminance(parsed(show(375, "dark").evaluate(background))) < 0.02
    assert luminance(parsed(show(375).evaluate(background))) == pytest.approx(1)


def test_qr_codes_stay_on_white_in_the_dark(show):
    page = show(375, "dark")
    for cell in page.locator(".qr").all():
        colour = cell.evaluate("node => getComputedStyle(node).backgroundColor")
        assert colour == "rgb(255, 255, 255)"


def test_links_that_are_commands_are_44_pixels_high(show):
    page = show(375)
    boxes = [link.bounding_box() for link in page.locator("a.tap").all()]
    assert len(boxes) == 5
    assert all(box["height"] >= 44 for box in boxes)


def test_a_phone_puts_labels_above_and_a_desk_beside(show):
    for width, above in ((375, True), (760, False)):
        page = show(width)
        label = page.locator(".label").first.bounding_box()
        value = page.locator(".value").first.bounding_box()
        assert (value["y"] > label["y"]) is above
        assert (value["x"] > label["x"]) is not above


def test_lines_of_a_summary_are_neither_long_nor_short(show):
    for width, least, most in ((375, 18, 24), (760, 26, 36)):
        box = show(width).locator(".value.prose p").first.bounding_box()
        assert least <= box["width"] / 16 <= most


def test_without_pictures_every_word_is_still_there(browser: Browser, mail: str):
    page = browser.new_page(viewport={"width": 375, "height": 800})
    page.set_content(mail.replace("data:image/png;base64,", "data:,"))
    assert page.get_by_text("预训练周刊 No.64").first.is_visible()
    assert page.get_by_alt_text("预训练周刊", exact=True).is_visible()
    assert page.locator(".masthead").evaluate("n => getComputedStyle(n).backgroundColor") != ""
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.close()


def parsed(colour: str) -> Colour:
    """Red, green and blue from 0 to 1 of `rgb(…)`."""
    red, green, blue = (float(part) / 255 for part in colour[4:-1].split(","))
    return red, green, blue


def turned(colour: Colour) -> Colour:
    """The same hue with light for dark."""
    hue, light, saturation = colorsys.rgb_to_hls(*colour)
    return colorsys.hls_to_rgb(hue, 1 - light, saturation)


def luminance(colour: Colour) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_wcag_says():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast(parsed("rgb(119, 119, 119)"), (1, 1, 1)) == pytest.approx(4.48, abs=0.01)
