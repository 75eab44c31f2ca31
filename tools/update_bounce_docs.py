"""Write into docs/bounces.md how flufl.bounce's samples come out: `python tools/update_bounce_docs.py`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from python_sdist import fetched

from newsletter.audience.tokens import Keyring
from newsletter.feedback.read import read_reports
from newsletter.feedback.report import Kind, Report

PAGE = Path(__file__).resolve().parent.parent / "docs" / "bounces.md"
_TABLE = re.compile(r"(?<=<!-- samples -->\n).*?(?=<!-- end of samples -->)", re.DOTALL)
# Where flufl.bounce names other addresses than we do.
DIFFERENCES = {
    "aol_01": "flufl.bounce adds `@aol.com` to a screen name; the mail holds no such address",
    "yale_01": "flufl.bounce guesses two addresses from a name; the mail holds neither",
    "simple_20": "its subject begins with `RE:`, as a person's answer does, and nothing else marks a mail system",
}
KEYRING = Keyring({1: bytes(32)})


def samples() -> dict[str, bytes]:
    """flufl.bounce's sample mails by name, from its source distribution.

    Raises:
        CannotFetch: pip cannot get it.

    """
    folder = fetched("flufl.bounce") / "tests" / "data"
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def page(text: str, mails: dict[str, bytes]) -> str:
    """The page `text` with the table of these mails in its place."""
    table = "\n".join(["", *_table(mails), "", *_differences(), "", ""])
    return _TABLE.sub(lambda _: table, text)


def _table(mails: dict[str, bytes]) -> Iterator[str]:
    formats: dict[str, list[str]] = {}
    for name in mails:
        formats.setdefault(name.rpartition("_")[0], []).append(name)
    yield "| format | mails | how they come out |"
    yield "|---|---|---|"
    for form, names in formats.items():
        counted = Counter(
            _outcome(report)
            for name in names
            for report in read_reports(mails[name], keyring=KEYRING)
        )
        told = ", ".join(f"{count} {what}" for what, count in counted.most_common())
        yield f"| {form} | {len(names)} | {told} |"


def _outcome(report: Report) -> str:
    if report.kind is Kind.DELAYED:
        return f"delayed ({report.verdict})"
    return str(report.verdict)


def _differences() -> Iterator[str]:
    yield "Recipients are those that flufl.bounce names, but for these:\n"
    for name, reason in DIFFERENCES.items():
        yield f"* `{name}`: {reason}."


def main() -> None:
    """Write the page and name it."""
    PAGE.write_text(page(PAGE.read_text("utf-8"), samples()), encoding="utf-8")
    print(PAGE.relative_to(PAGE.parent.parent))


if __name__ == "__main__":
    main()
