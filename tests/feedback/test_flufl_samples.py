"""flufl.bounce's own sample mails: fetched with its sources, read like any other mail, told of in docs/bounces.md."""

from __future__ import annotations

from email import message_from_bytes

import mailroom
import pytest
import update_bounce_docs
from flufl.bounce import all_failures
from python_sdist import CannotFetch

from newsletter.feedback.read import read_reports
from newsletter.feedback.report import Kind

FAILURES = (Kind.BOUNCE, Kind.DELAYED)


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    try:
        return update_bounce_docs.samples()
    except CannotFetch as error:
        pytest.skip(f"flufl.bounce's samples cannot be had: {error}")


def test_recipients_are_those_that_flufl_names(samples: dict[str, bytes]) -> None:
    assert len(samples) > 100
    different = set()
    for name, data in samples.items():
        temporary, permanent = (
            {address.decode() for address in found}
            for found in all_failures(message_from_bytes(data))
        )
        reports = read_reports(data, keyring=mailroom.KEYRING)
        ours = {report.recipient for report in reports if report.kind in FAILURES}
        delayed = {report.recipient for report in reports if report.kind is Kind.DELAYED}
        if (temporary or permanent) and (ours, delayed) != (temporary | permanent, temporary):
            different.add(name)
    assert different == set(update_bounce_docs.DIFFERENCES)


def test_nobody_is_called_a_subscriber(samples: dict[str, bytes]) -> None:
    for data in samples.values():
        for report in read_reports(data, keyring=mailroom.KEYRING):
            assert report.subscriber_id is None
            assert report.kind not in (Kind.UNSUBSCRIBE, Kind.COMPLAINT)


def test_the_page_is_current(samples: dict[str, bytes]) -> None:
    text = update_bounce_docs.PAGE.read_text("utf-8")
    assert text == update_bounce_docs.page(text, samples), "run python tools/update_bounce_docs.py"
    assert all(f"`{name}`" in text for name in update_bounce_docs.DIFFERENCES)
