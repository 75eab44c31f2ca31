"""Write docs/checks.md from the checks themselves: `python tools/update_checks_docs.py`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from newsletter.checks.model import Check
from newsletter.checks.registry import FAMILIES, all_checks

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checks.md"
HEAD = """\
<!-- Written by tools/update_checks_docs.py from the checks themselves; a test keeps it current. -->
# The checks

`newsletter check 64` looks at issue 64 as its readers will get it: at the source, at both parts of the message, and at
the octets that go over the wire. Each finding has a code, a severity, and the line that you can change. `newsletter
check --explain CODE` prints what stands here.

| severity | meaning |
|---|---|
| error | must not go out: `check` exits with 1, and `send` refuses, unless told `--force`, which its log records |
| warning | most readers or some mail programs will notice |
| note | good to know; `check` counts notes and shows them with `--notes` |

What may stand is accepted where it is, in the issue or in one of its items, with a reason. `match` is a part of the
finding's message, and may be left out. An entry that fits nothing any more is itself a note.

```yaml
accept:
  - code: link-earlier
    match: arxiv.org/abs/2210.11610
    reason: the second half of last week's survey
```

What holds for every issue stands in `newsletter.yaml`. `select` and `ignore` take codes and families, and so do the
options of the same names.

```yaml
checks:
  ignore: [space-missing-digit]
  severity: {link-http: error}
```

`--format json` prints `{"findings": [{"code", "severity", "message", "path", "line", "column"}, …]}`, `--format github`
the annotations of GitHub Actions. Two families run only when they are asked for: `--online` and `--spamassassin`.
"""


def page() -> str:
    """The whole of docs/checks.md."""
    return "\n".join([HEAD, *_contents(), *_families()])


def _by_family() -> Iterator[tuple[str, str, list[Check]]]:
    for module, heading in FAMILIES.items():
        name = module.rpartition(".")[2]
        yield name, heading, [check for check in all_checks() if check.family == name]


def _contents() -> Iterator[str]:
    yield "| family | checks |"
    yield "|---|---|"
    for name, heading, checks in _by_family():
        listed = ", ".join(f"[{check.code}](#{check.code})" for check in checks)
        yield f"| [{heading}](#{_anchor(heading)}), `{name}` | {listed} |"
    yield ""


def _families() -> Iterator[str]:
    for _, heading, checks in _by_family():
        yield f"## {heading}\n"
        for check in checks:
            yield from _one(check)


def _one(check: Check) -> Iterator[str]:
    yield f"### {check.code}\n"
    asked = f", with `--{check.needs}`" if check.needs else ""
    yield f"**{check.title}** ({check.severity}{asked}).\n"
    yield "\n".join(_unwrapped(check.explanation)) + "\n"
    lines = [
        f"{word}  {text}"
        for word, examples in (("wrong", check.failing), ("right", check.passing))
        for example in examples
        if (text := example.in_short())
    ]
    if any(line.startswith("wrong") for line in lines):
        yield "```text\n" + "\n".join(lines) + "\n```\n"


def _unwrapped(text: str) -> Iterator[str]:
    """Paragraphs of a docstring, wrapped as a page is."""
    for number, paragraph in enumerate(text.split("\n\n")):
        if number:
            yield ""
        yield from textwrap.wrap(
            " ".join(paragraph.split()), 120, break_long_words=False, break_on_hyphens=False
        )


def _anchor(heading: str) -> str:
    """What GitHub makes of a heading."""
    kept = (char for char in heading.lower() if char.isalnum() or char in " -")
    return "".join(kept).replace(" ", "-")


def main() -> None:
    """Write the page and name it."""
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parent.parent))


if __name__ == "__main__":
    main()
