"""`newsletter check 64`: everything that is wrong with an issue, or may be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from newsletter.cli.arguments import issue_argument

if TYPE_CHECKING:
    from newsletter.checks.model import Check, Finding
    from newsletter.project import Project


def _complete(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Codes of checks; after a comma, the next."""
    from newsletter.checks.registry import all_checks

    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{check.code}", help=check.title)
        for check in all_checks()
        if check.code.startswith(last)
    ]


@click.command()
@issue_argument(required=False)
@click.option("--all", "every", is_flag=True, help="Check every issue.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, programs, or GitHub Actions.",
)
@click.option(
    "--select",
    metavar="CODE,…",
    default="",
    shell_complete=_complete,
    help="Only these checks or families of checks.",
)
@click.option(
    "--ignore", metavar="CODE,…", default="", shell_complete=_complete, help="But not these."
)
@click.option("--notes", is_flag=True, help="Show notes too, not only how many there are.")
@click.option("--explain", metavar="CODE", shell_complete=_complete, help="Explain one check.")
@click.option("--online", is_flag=True, help="Ask the web about links and images too.")
@click.option("--spamassassin", is_flag=True, help="Ask SpamAssassin too, where it is installed.")
def command(
    number: int | None,
    every: bool,
    form: str,
    select: str,
    ignore: str,
    notes: bool,
    explain: str | None,
    online: bool,
    spamassassin: bool,
) -> int:
    """Tell everything that is wrong with issue NUMBER, or may be.

    Exit code 1 when there are errors. What may stand is accepted in the issue itself, with a reason:
    `accept: [{code: …, reason: …}]`, or ignored for all issues in newsletter.yaml, under `checks:`.
    """
    if explain is not None:
        return _explain(explain)
    if (number is None) == (not every):
        raise click.UsageError("say which issue, or --all")
    from newsletter.checking import check_issue
    from newsletter.project import Project

    project = Project.open(Path.cwd())
    numbers = [number] if number is not None else sorted({file.number for file in project.issues()})
    services = _services(project, online=online, spamassassin=spamassassin)
    found = {
        one: check_issue(
            project, one, select=_names(select), ignore=_names(ignore), services=services
        )
        for one in numbers
    }
    _print(found, form, notes=notes or bool(select))
    errors = any(finding.severity == "error" for one in found.values() for finding in one)
    return 1 if errors else 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _services(project: Project, *, online: bool, spamassassin: bool) -> dict[str, Any]:
    """What was asked for of what the network and other programs know."""
    services: dict[str, Any] = {}
    if online:
        from newsletter.checks.online.probe import LinkProbe

        services["online"] = LinkProbe(cache=project.state_dir / "cache" / "links.json")
    if spamassassin:
        from newsletter.checks.spamassassin import SpamAssassin

        services["spamassassin"] = SpamAssassin()
    return services


def _print(found: dict[int, list[Finding]], form: str, *, notes: bool) -> None:
    """Print what was found; programs get the notes always, people when they want them."""
    from newsletter.cli.findings import as_github, as_json, as_text, counted

    everything = [finding for findings in found.values() for finding in findings]
    shown = [finding for finding in everything if notes or finding.severity != "note"]
    if form == "json":
        click.echo(as_json(everything))
        return
    if form == "github":
        for line in as_github(shown):
            click.echo(line)
        return
    for number, findings in found.items():
        for line in as_text(finding for finding in findings if finding in shown):
            click.echo(line)
        folded = "" if len(shown) == len(everything) else " (--notes shows the notes)"
        click.echo(f"issue {number}: {counted(findings) or 'nothing to report'}{folded}")
    worst = min(shown, key=lambda finding: finding.severity.rank, default=None)
    if worst is not None:
        click.echo(f"next: newsletter check --explain {worst.code}")


def _explain(code: str) -> int:
    from newsletter.checks.registry import FAMILIES, checks_by_code
    from newsletter.errors import UsageError
    from newsletter.source.validation import suggestion

    check = checks_by_code().get(code)
    if check is None:
        near = suggestion(code, checks_by_code()) or "docs/checks.md lists them"
        raise UsageError(f"there is no check `{code}` ({near})")
    heading = next(words for name, words in FAMILIES.items() if name.endswith(check.family))
    click.echo(f"{click.style(check.code, bold=True)}  {check.severity}, {heading}")
    click.echo(f"{check.title}.\n")
    click.echo(check.explanation)
    for line in _shown_examples(check):
        click.echo(line)
    click.echo("\nTo let a finding stand, in the issue or in one of its items:")
    click.echo(f"  accept: [{{code: {check.code}, reason: …}}]")
    return 0


def _shown_examples(check: Check) -> list[str]:
    """What an author would write, of the examples that say it in a line or two."""
    for word, examples in (("wrong", check.failing), ("right", check.passing)):
        shown = [text for example in examples if (text := example.in_short())]
        if word == "wrong" and not shown:
            return []
        if word == "wrong":
            lines = ["", *(f"  wrong:  {text}" for text in shown)]
        else:
            lines += [f"  right:  {text}" for text in shown]
    return lines
