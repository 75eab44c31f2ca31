"""The tools whose exports are known, and the plain list that every other file is."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.audience.imports.buttondown import BUTTONDOWN
from newsletter.audience.imports.ghost import GHOST
from newsletter.audience.imports.listmonk import LISTMONK
from newsletter.audience.imports.mailchimp import MAILCHIMP
from newsletter.audience.imports.substack import SUBSTACK
from newsletter.audience.imports.tool import Tool, judge_status

PLAIN = Tool(name="csv", judge=judge_status)
"""A list of one's own, or what `subscribers export` writes; it is judged by `status` and `suppressed`."""

TOOLS: Mapping[str, Tool] = {
    tool.name: tool for tool in (MAILCHIMP, SUBSTACK, BUTTONDOWN, LISTMONK, GHOST, PLAIN)
}
